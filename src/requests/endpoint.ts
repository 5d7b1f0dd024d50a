import type { Static, TObject, TSchema } from 'typebox'
import type { ErrorCode } from '../base/errors.ts'
import type { Merchant } from '../merchants/merchant.ts'
import type { ReplayRule } from './replay.ts'

/**
 * An endpoint of the merchant API as its room describes it: `POST /api/merchant/<name>`. The door in http/ verifies,
 * validates and answers; a room says what is asked and what is done.
 */
export interface Endpoint {
  /** The last segment of the path, which is what hmac-sha256 signs. */
  name: string
  /** What it does, in a sentence. */
  summary: string
  replay: ReplayRule
  /** What it may be refused with besides what any call may be; for the documentation. */
  refusals: readonly ErrorCode[]
  /** What it takes besides appid, sign, t and nonce; all of it text, each with an example. */
  parameters: TObject
  /** The answer's `data`, each field with an example. */
  data: TSchema
  /** @throws GatewayError for what the caller can act on. */
  run(merchant: Merchant, parameters: never): Promise<unknown>
  /** Lets go of what it holds open, once nothing is in hand any more. */
  close?(): Promise<void>
}

/** Describes an endpoint, holding what it does to its schemas. */
export function describeEndpoint<Parameters extends TObject, Data extends TSchema>(
  endpoint: Omit<Endpoint, 'parameters' | 'data' | 'run'> & {
    parameters: Parameters
    data: Data
    run(merchant: Merchant, parameters: Static<Parameters>): Promise<Static<Data>>
  },
): Endpoint {
  return endpoint
}

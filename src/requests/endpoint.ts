import type { Static, TObject, TSchema } from 'typebox'
import type { ErrorCode } from '../base/errors.ts'
import type { Merchant } from '../merchants/merchant.ts'
import type { ReplayRule } from './replay.ts'

/**
 * An endpoint of the merchant API, `POST /api/merchant/<name>`, as its folder describes it. http/merchant-door verifies the
 * request, validates it and answers; the endpoint has the schemas and does the work.
 */
export interface Endpoint {
  /** The last segment of the path; hmac-sha256 signs it. */
  name: string
  /** One sentence that says what it does. */
  summary: string
  replay: ReplayRule
  /** The codes it may be refused with, besides those of every endpoint; for the documentation. */
  refusals: readonly ErrorCode[]
  /** Its parameters besides appid, sign, t and nonce. All are text, and each has an example. */
  parameters: TObject
  /** The answer's `data`, each field with an example. */
  data: TSchema
  /** @throws GatewayError for what the caller can act on. */
  run(merchant: Merchant, parameters: never): Promise<unknown>
  /** Closes what it holds open. Called when no request is in progress any more. */
  close?(): Promise<void>
}

/** Types an endpoint: its work takes and returns what its schemas say. */
export function describeEndpoint<Parameters extends TObject, Data extends TSchema>(
  endpoint: Omit<Endpoint, 'parameters' | 'data' | 'run'> & {
    parameters: Parameters
    data: Data
    run(merchant: Merchant, parameters: Static<Parameters>): Promise<Static<Data>>
  },
): Endpoint {
  return endpoint
}

import type { MerchantId } from '../base/ids.ts'
import { type Queryable, run } from '../db/pool.ts'

/** An authenticated request and how it was answered. */
export interface ApiRequest {
  /** As logged and returned in x-request-id. */
  requestId: string
  merchantId: MerchantId
  /** The key that signed it; null: it is not known. */
  keyId: bigint | null
  endpoint: string
  /** ok, or the code of the refusal. */
  code: string
  /** The merchant's id for the order it names; null when it names none. */
  orderid: string | null
  clientAddress: string
  startedAt: Date
  durationMs: number
}

/** A statement without an answer fails after this; the requests are then written again. */
const statementTimeoutMs = 5_000

/** Inserts requests into the history in one statement. */
export async function insertApiRequests(db: Queryable, requests: readonly ApiRequest[]): Promise<void> {
  await run(db, {
    name: 'insert_api_requests',
    query_timeout: statementTimeoutMs,
    text: `
      insert into api_request
             (merchant_id, endpoint, code, orderid, client_address, started_at, duration_ms, request_id, key_id)
      select *
        from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::integer[],
                    $8::text[], $9::bigint[])`,
    values: [
      requests.map(request => request.merchantId),
      requests.map(request => request.endpoint),
      requests.map(request => request.code),
      requests.map(request => request.orderid),
      requests.map(request => request.clientAddress),
      requests.map(request => request.startedAt),
      requests.map(request => request.durationMs),
      requests.map(request => request.requestId),
      requests.map(request => request.keyId),
    ],
  })
}

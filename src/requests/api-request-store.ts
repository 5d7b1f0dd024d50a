import type { Queryable } from '../db/pool.ts'

/** A call that was authenticated, and what came of it. */
export interface ApiRequest {
  merchantId: bigint
  endpoint: string
  /** ok, or the refusal's code. */
  code: string
  /** The order it names, where it names one. */
  orderid: string | null
  clientAddress: string
  startedAt: Date
  durationMs: number
}

/** A database that says nothing is given up on; those who wrote nothing yet try again. */
const statementTimeoutMs = 5_000

/** Writes calls into the history, all in one statement. */
export async function insertApiRequests(db: Queryable, requests: readonly ApiRequest[]): Promise<void> {
  const query = {
    name: 'insert_api_requests',
    query_timeout: statementTimeoutMs,
    text: `
      insert into api_request (merchant_id, endpoint, code, orderid, client_address, started_at, duration_ms)
      select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::integer[])`,
    values: [
      requests.map(request => request.merchantId),
      requests.map(request => request.endpoint),
      requests.map(request => request.code),
      requests.map(request => request.orderid),
      requests.map(request => request.clientAddress),
      requests.map(request => request.startedAt),
      requests.map(request => request.durationMs),
    ],
  }
  await db.query(query)
}

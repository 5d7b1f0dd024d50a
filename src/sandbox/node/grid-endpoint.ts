import type { FastifyInstance } from 'fastify'
import type { GridRow } from '../chain/grid-row.ts'
import { type GridCursor, type GridQuery, GridRefusal, makeFingerprint, readGridQuery } from './grid-query.ts'
import { gridRowJson, rowsOf } from './grid-rows.ts'
import { type Call, type Endpoint, type NodeParts, openEndpoint } from './node-door.ts'

/** TronGrid's list of an account's token events. */
const endpoint: Endpoint = {
  method: ['GET'],
  url: '/v1/accounts/:address/transactions/trc20',
  surface: 'head',
  nothing: { data: [], success: true, meta: { at: 0, page_size: 0 } },
  answer: call => {
    const { address } = call.request.params as { address: string }
    const query = readGridQuery(address, call.parameters)
    const faults = new Set(call.effects.map(effect => effect.page))
    if (faults.has('empty') && !query.cursor.afterEmpty) {
      return pageJson(call, query, [], { ...query.cursor, afterEmpty: true })
    }
    const { page, more } = takePage(rowsAsked(call, query), query)
    const next = more && !faults.has('last') ? { after: page.at(-1)!.place, afterEmpty: false } : null
    return pageJson(call, query, page, next)
  },
}

/** The part of TronGrid's v1 API that the gateway uses. Errors have a status and a sentence. */
export async function gridRoutes(app: FastifyInstance, node: NodeParts): Promise<void> {
  app.setErrorHandler((error: Error, _request, reply) => {
    const statusCode = error instanceof GridRefusal ? error.statusCode : 500
    return reply.code(statusCode).send({ success: false, error: error.message, statusCode })
  })
  openEndpoint(app, node, endpoint)
}

/** Lists the rows that match the query, in its order. */
function rowsAsked({ chain, view, effects }: Call, query: GridQuery): readonly GridRow[] {
  const { address, only, contract, minMs, maxMs } = query
  const asked = rowsOf(address, chain, view).filter(
    ({ event, timeMs, unconfirmed }) =>
      !(only.to && event.to !== address) &&
      !(only.from && event.from !== address) &&
      !(only.confirmed && unconfirmed) &&
      !(only.unconfirmed && !unconfirmed) &&
      !(contract !== null && event.token !== contract) &&
      timeMs >= minMs &&
      timeMs <= maxMs,
  )
  const rows = effects.reduce<readonly GridRow[]>(
    (rows, effect) => effect.rows?.(rows, view.head.height) ?? rows,
    asked,
  )
  return query.ascending ? rows : [...rows].reverse()
}

/** Takes the rows after the cursor, whose own row may be gone, and tells whether more follow. */
function takePage(
  rows: readonly GridRow[],
  { cursor, limit, ascending }: GridQuery,
): { page: readonly GridRow[]; more: boolean } {
  const { after } = cursor
  const left = rows.filter(({ place }) => {
    const order = after ? compare(place, after) : 0
    return after === null || (ascending ? order > 0 : order < 0)
  })
  return { page: left.slice(0, limit), more: left.length > limit }
}

function compare(a: GridRow['place'], b: GridRow['place']): number {
  for (const [i, number] of a.entries()) {
    if (number !== b[i]) return number - b[i]!
  }
  return 0
}

function pageJson(
  { request, view }: Call,
  { digest }: GridQuery,
  rows: readonly GridRow[],
  next: GridCursor | null,
): object {
  const meta = { at: view.head.timeMs, page_size: rows.length }
  const data = rows.map(gridRowJson)
  if (!next) return { data, success: true, meta }
  const fingerprint = makeFingerprint(next, digest)
  const url = new URL(request.url, `http://${request.host}`)
  url.searchParams.set('fingerprint', fingerprint)
  return { data, success: true, meta: { ...meta, fingerprint, links: { next: url.href } } }
}

import { formatUsdt, fromLegacyUnits } from '../../../base/money.ts'
import type { Queryable } from '../../../db/pool.ts'
import { type FileColumns, filePageMax, type ListPage, timeColumns } from '../parts/csv-list.tsx'
import type { Zone } from '../parts/zones.ts'
import { type CallbackFilter, readPlace } from './callback-filter.ts'
import { type ConsoleCallback, readCallbackPage } from './callback-list-store.ts'

/** The columns of a file of callbacks, named as `gateway export callbacks` names them. */
export function callbackColumns(zone: Zone): FileColumns<ConsoleCallback> {
  return {
    ...timeColumns('announced', zone, one => one.createdAt),
    appid: one => one.appid,
    orderid: one => one.orderid,
    ordersn: one => one.ordersn,
    amount_usdt: one => formatUsdt(fromLegacyUnits(one.bodyAmount)),
    key: one => one.key,
    state: one => one.state,
    attempts: one => one.attempts,
    last_status: one => one.lastStatus,
    ...timeColumns('due', zone, one => one.dueAt),
    ...timeColumns('acknowledged', zone, one => one.deliveredAt),
    ...timeColumns('exhausted', zone, one => one.exhaustedAt),
    origin: one => one.origin,
  }
}

/** Reads a list to its end. One that is attempted meanwhile comes again further down its list, and is in the file once. */
export function readCallbackFile(
  db: Queryable,
  filter: CallbackFilter,
): (at: string | null) => Promise<ListPage<ConsoleCallback, string>> {
  const isOwed = filter.list !== 'all' && filter.list !== 'delivered' && filter.list !== 'exhausted'
  const written = new Set<bigint>()
  return async at => {
    const { callbacks, next } = await readCallbackPage(
      db,
      filter,
      at === null ? null : readPlace(at),
      filePageMax,
    )
    const rows = callbacks.filter(({ id }) => !written.has(id))
    if (isOwed) for (const { id } of rows) written.add(id)
    return { rows, next }
  }
}

/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { formatUsdt } from '../../../base/money.ts'
import { type ListedHeld, type ListedPending, listHeld, listPending } from '../../../credits/list-waiting.ts'
import { type ListedMark, listMarks } from '../../../credits/mark-store.ts'
import { type ListedUnclaimed, listUnclaimedPage } from '../../../credits/unclaimed-store.ts'
import type { IdPage } from '../../../db/id-page.ts'
import type { Queryable } from '../../../db/pool.ts'
import { type ListedDiscrepancy, listDiscrepancies } from '../../../transfers/discrepancy-store.ts'
import { listQuarantined, type Quarantined } from '../../../transfers/quarantine-store.ts'
import { type FileColumns, type ListPage, timeColumns } from '../parts/csv-list.tsx'
import type { Column } from '../parts/list-parts.tsx'
import { can, href, type Page, scopeOf } from '../parts/page.ts'
import { Amount, Id, State, Time } from '../parts/value-parts.tsx'
import type { Zone } from '../parts/zones.ts'
import { MarkKindText, MoneyState, wordsFor } from './money-parts.tsx'
import { orderPathOf, transferPathOf } from './money-paths.ts'

/** A list of the page of money: how it is read, shown, and written into a file. */
export interface MoneyList<R> {
  /** @param after where the page before ended, as it said; '': the first page. */
  read: (page: Page, after: string, limit: number) => Promise<ListPage<R, string>>
  columns: (page: Page) => Column<R>[]
  file: (zone: Zone) => FileColumns<R>
}

const unclaimed: MoneyList<ListedUnclaimed> = {
  read: byId(listUnclaimedPage),
  columns(page) {
    const words = wordsFor(page)
    return [
      { head: words.paid, cell: one => <Opened page={page} path={transferPathOf(one.id)} at={one.time} /> },
      { head: words.amount, align: 'end', cell: one => <Amount units={one.amount} /> },
      ...merchantColumn(page),
      { head: words.user, cell: one => one.localusermark || <State tone="amber">{words.nobody}</State> },
      { head: words.address, cell: one => <Id text={one.address} short /> },
      { head: words.from, cell: one => <Id text={one.from} short /> },
      { head: words.txid, cell: one => <Id text={one.txid} short /> },
    ]
  },
  file: zone => ({
    transfer_id: one => one.id,
    ...timeColumns('paid', zone, one => one.time),
    appid: one => one.appid,
    localusermark: one => one.localusermark,
    address: one => one.address,
    from_address: one => one.from,
    amount_usdt: one => formatUsdt(one.amount),
    txid: one => one.txid,
    log_index: one => one.logIndex,
    block_height: one => one.height,
  }),
}

/** A held transfer, or a version of one that waits for proof and is not recorded yet. */
type Held = (Omit<ListedHeld, 'id'> | Omit<ListedPending, 'id'>) & {
  id: bigint
  behind: bigint
  state: 'held' | 'unproved'
}

const held: MoneyList<Held> = {
  async read(page, after, limit) {
    const { reads } = page.context
    const merchantId = scopeOf(page)
    const [, mark, id] = /^(p?)(\d{1,18})$/.exec(after) ?? []
    const place = id === undefined ? null : BigInt(id)
    // Those that wait for proof come after all that are held.
    const isProof = mark === 'p'
    const first = isProof ? [] : await listHeld(reads, { merchantId, after: place, limit: limit + 1 })
    const rows = first.slice(0, limit).map((one): Held => ({ ...one, state: 'held' }))
    if (first.length > limit) return { rows, next: `${rows.at(-1)!.id}` }
    const room = limit - rows.length
    const proofs = await listPending(reads, 'waits', {
      ...{ merchantId, after: isProof ? place : null, limit: room + 1 },
    })
    const shown = proofs.slice(0, room).map((one): Held => ({ ...one, state: 'unproved' }))
    const next = proofs.length > room ? `p${shown.at(-1)?.id ?? 0n}` : null
    return { rows: [...rows, ...shown], next }
  },
  columns(page) {
    const words = wordsFor(page)
    return [
      {
        head: words.since,
        cell: ({ id, state, since }) =>
          state === 'unproved' && !can(page, 'admin') ? (
            <Time at={since} />
          ) : (
            <Opened
              page={page}
              path={state === 'held' ? transferPathOf(id) : `/money/proofs/${id}`}
              at={since}
            />
          ),
      },
      { head: words.amount, align: 'end', cell: one => <Amount units={one.amount} /> },
      { head: words.state, cell: one => <MoneyState page={page} state={one.state} /> },
      ...merchantColumn(page),
      { head: words.user, cell: one => one.localusermark },
      { head: words.txid, cell: one => <Id text={one.txid} short /> },
      { head: words.behind, align: 'end', cell: one => `${one.behind}` },
    ]
  },
  file: zone => ({
    state: one => one.state,
    // As `gateway held` takes it.
    id: one => (one.state === 'held' ? one.id : `p${one.id}`),
    ...timeColumns('since', zone, one => one.since),
    appid: one => one.appid,
    localusermark: one => one.localusermark,
    address: one => one.address,
    amount_usdt: one => formatUsdt(one.amount),
    txid: one => one.txid,
    log_index: one => one.logIndex,
    block_height: one => one.height,
    waiting_behind: one => one.behind,
  }),
}

const quarantine: MoneyList<Quarantined> = {
  read: byId(listQuarantined),
  columns(page) {
    const words = wordsFor(page)
    return [
      {
        head: words.since,
        cell: ({ id, transferId, createdAt }) => (
          <Opened
            page={page}
            path={transferId === null ? `/money/logs/${id}` : transferPathOf(transferId)}
            at={createdAt}
          />
        ),
      },
      { head: words.kind, cell: one => (one.transferId === null ? words.log : words.transfer) },
      { head: words.txid, cell: one => <Id text={one.txid} short /> },
      { head: words.block, align: 'end', cell: one => `${one.height}` },
      { head: words.why, cell: one => one.reason },
    ]
  },
  file: zone => ({
    quarantine_id: one => one.id,
    ...timeColumns('since', zone, one => one.createdAt),
    kind: one => (one.transferId === null ? 'log' : 'transfer'),
    transfer_id: one => one.transferId,
    txid: one => one.txid,
    log_index: one => one.logIndex,
    block_height: one => one.height,
    reason: one => one.reason,
  }),
}

const discrepancies: MoneyList<ListedDiscrepancy> = {
  read: byId(listDiscrepancies),
  columns(page) {
    const words = wordsFor(page)
    return [
      {
        head: words.found,
        cell: one => <Opened page={page} path={`/money/discrepancies/${one.id}`} at={one.foundAt} />,
      },
      { head: words.kind, cell: one => words.discrepancyKinds[one.kind] ?? one.kind },
      { head: words.subject, cell: one => <Id text={one.subject} short /> },
      ...merchantColumn(page),
      {
        head: words.acknowledged,
        cell: one =>
          one.acknowledgedAt ? (
            <State tone="grey">{words.acknowledged}</State>
          ) : (
            <State tone="amber">–</State>
          ),
      },
    ]
  },
  file: zone => ({
    discrepancy_id: one => one.id,
    ...timeColumns('found', zone, one => one.foundAt),
    ...timeColumns('last_seen', zone, one => one.lastSeenAt),
    kind: one => one.kind,
    subject: one => one.subject,
    appid: one => one.appid,
    detail: one => JSON.stringify(one.detail),
    ...timeColumns('acknowledged', zone, one => one.acknowledgedAt),
    acknowledged_by: one => one.acknowledgedBy,
    acknowledged_reason: one => one.acknowledgedReason,
  }),
}

const marks: MoneyList<ListedMark> = {
  read: byId(listMarks),
  columns(page) {
    const words = wordsFor(page)
    return [
      {
        head: words.at,
        cell: ({ transferId, ordersn, createdAt }) => (
          <Opened
            page={page}
            path={transferId === null ? orderPathOf(ordersn!) : transferPathOf(transferId)}
            at={createdAt}
          />
        ),
      },
      { head: words.kind, cell: one => <MarkKindText page={page} mark={one} /> },
      { head: words.amount, align: 'end', cell: one => <Amount units={one.amount} /> },
      ...merchantColumn(page),
      { head: words.order, cell: one => one.orderid },
      { head: words.txid, cell: one => one.txid && <Id text={one.txid} short /> },
      { head: words.why, cell: one => one.reason },
      { head: words.who, cell: one => one.madeBy },
    ]
  },
  file: zone => ({
    mark_id: one => one.id,
    ...timeColumns('made', zone, one => one.createdAt),
    kind: one => one.kind,
    appid: one => one.appid,
    amount_usdt: one => formatUsdt(one.amount),
    orderid: one => one.orderid,
    ordersn: one => one.ordersn,
    transfer_id: one => one.transferId,
    txid: one => one.transferTxid,
    log_index: one => one.logIndex,
    refund_txid: one => one.txid,
    withdraws: one => one.withdraws,
    withdrawn_by: one => one.withdrawnBy,
    reason: one => one.reason,
    made_by: one => one.madeBy,
  }),
}

/** In the order of the page. Discrepancies are for admins alone. */
export const moneyLists = { unclaimed, held, quarantine, discrepancies, marks }

export type MoneyListName = keyof typeof moneyLists

/** Reads pages of a list that is in the order of its ids. */
function byId<R extends { id: bigint }>(
  list: (db: Queryable, asked: IdPage) => Promise<R[]>,
): MoneyList<R>['read'] {
  return async (page, after, limit) => {
    const place = /^\d{1,18}$/.test(after) ? BigInt(after) : null
    const found = await list(page.context.reads, {
      ...{ merchantId: scopeOf(page), after: place, limit: limit + 1 },
    })
    const rows = found.slice(0, limit)
    return { rows, next: found.length > limit ? `${rows.at(-1)!.id}` : null }
  }
}

/** Whose it is: where all merchants' are shown. */
function merchantColumn(page: Page): Column<{ appid: string | null }>[] {
  if (page.merchant) return []
  return [{ head: wordsFor(page).merchant, cell: one => one.appid && <code>{one.appid}</code> }]
}

function Opened(props: { page: Page; path: string; at: Date }): ComponentChildren {
  return (
    <a href={href(props.page, props.path)}>
      <Time at={props.at} />
    </a>
  )
}

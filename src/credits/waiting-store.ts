import type { TransferId } from '../base/ids.ts'
import type { Queryable, Tx } from '../db/pool.ts'
import type { KeptTransfer, PendingTransfer, WaitReason } from './take-turns.ts'

const columns = `t.id, t.txid, t.log_index as "logIndex", t.deposit_address_id as "depositAddressId", t.amount,
            t.block_height as "height", t.block_time as "time", t.tx_index as "txIndex",
            true as "written", w.reason, w.node`

/** Reads everything that waits at these addresses: crediting takes an address in chain order, or not at all. */
export async function waitingAt(tx: Tx, addressIds: readonly bigint[]): Promise<PendingTransfer[]> {
  if (addressIds.length === 0) return []
  const { rows } = await tx.query(
    `select ${columns}
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
      where w.deposit_address_id = any($1::bigint[])`,
    [addressIds],
  )
  return rows
}

/**
 * Finds the addresses where unclaimed money waits and an order appeared lately. It comes from the orders' side: those
 * that wait, which may be a hundred thousand that nobody will ever claim, are not gone through.
 * @param since orders created after it, up to `until`, both included.
 */
export async function addressesToClaim(tx: Tx, since: Date, until: Date): Promise<bigint[]> {
  // Per merchant, because that is how orders are indexed by their time. The offsets keep the planner from scanning all
  // orders, or everything that waits, instead of looking up a few; where nothing waits, nothing is looked up.
  const { rows } = await tx.query({
    text: `select distinct o.deposit_address_id as id
             from merchant m
            cross join lateral (
              select deposit_address_id
                from recharge_order
               where merchant_id = m.id and created_at between $1 and $2
              offset 0
            ) o
            where exists (select from waiting_transfer where reason = 'unclaimed')
              and exists (
                select
                  from waiting_transfer w
                 where w.deposit_address_id = o.deposit_address_id and w.reason = 'unclaimed'
                offset 0
              )`,
    values: [since, until],
  })
  return rows.map(row => row.id)
}

/** As above, among all the orders there are, from the side of what waits. */
export async function allAddressesToClaim(tx: Tx): Promise<bigint[]> {
  const { rows } = await tx.query(
    `select distinct w.deposit_address_id as id
       from waiting_transfer w
      where w.reason = 'unclaimed'
        and exists (
          select from recharge_order o where o.deposit_address_id = w.deposit_address_id offset 0
        )`,
  )
  return rows.map(row => row.id)
}

/** Sets down what waits and why: a transfer has a row here or a credit, never both. */
export async function keepWaiting(tx: Tx, kept: readonly KeptTransfer[]): Promise<void> {
  const changed = kept.filter(({ transfer, reason }) => !transfer.written || transfer.reason !== reason)
  if (changed.length === 0) return
  await tx.query(
    `insert into waiting_transfer (transfer_id, deposit_address_id, reason, node)
     select *
       from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])
     on conflict (transfer_id) do update set reason = excluded.reason`,
    [
      changed.map(({ transfer }) => transfer.id),
      changed.map(({ transfer }) => transfer.depositAddressId),
      changed.map(({ reason }) => reason),
      changed.map(({ transfer }) => transfer.node),
    ],
  )
}

/** Takes credited transfers off the waiting list; most were never on it. */
export async function stopWaiting(tx: Tx, transfers: readonly PendingTransfer[]): Promise<void> {
  const written = transfers.filter(transfer => transfer.written)
  if (written.length === 0) return
  await tx.query(`delete from waiting_transfer where transfer_id = any($1::bigint[])`, [
    written.map(transfer => transfer.id),
  ])
}

/** Lets a quarantined transfer wait its turn like any other. @returns its address, or none when it is not quarantined. */
export async function releaseQuarantined(tx: Tx, transferId: TransferId): Promise<bigint[]> {
  const { rows } = await tx.query(
    `update waiting_transfer
        set reason = 'behind'
      where transfer_id = $1 and reason = 'quarantined'
      returning deposit_address_id as id`,
    [transferId],
  )
  return rows.map(row => row.id)
}

/** Whether a transfer has its credit, or else why it waits. */
export async function stateOf(tx: Tx, transferId: TransferId): Promise<WaitReason | 'credited'> {
  const { rows } = await tx.query(
    `select coalesce((select reason from waiting_transfer where transfer_id = $1), 'credited') as state`,
    [transferId],
  )
  return rows[0]!.state
}

/** What waits, for the alarms: how many transfers and how much, in base units. */
export type WaitingCounts = Record<WaitReason, { transfers: number; units: bigint }>

/** Counts what waits by reason; reasons that nothing waits for are there with zeros. */
export async function waitingCounts(db: Queryable): Promise<WaitingCounts> {
  const { rows } = await db.query<{ reason: WaitReason; transfers: bigint; units: string }>(
    `select w.reason, count(*) as transfers, sum(t.amount)::text as units
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
      group by w.reason`,
  )
  const none = { transfers: 0, units: 0n }
  const counts: WaitingCounts = { unclaimed: none, held: none, quarantined: none, behind: none }
  for (const { reason, transfers, units } of rows) {
    counts[reason] = { transfers: Number(transfers), units: BigInt(units) }
  }
  return counts
}

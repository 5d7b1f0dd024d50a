import type { DepositAddressId, MerchantId, TransferId } from '../base/ids.ts'
import { type UsdtUnits, usdt } from '../base/money.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import { type KeptTransfer, type PendingTransfer, type WaitReason, waitReasons } from './pending-transfer.ts'
import type { EndedRejection } from './rejection-store.ts'

/** Reads every waiting transfer at these addresses: an address is credited whole, in chain order. */
export async function waitingAt(tx: Tx, addressIds: readonly DepositAddressId[]): Promise<PendingTransfer[]> {
  if (addressIds.length === 0) return []
  return readWaiting(tx, 'w.deposit_address_id = any($1::bigint[])', addressIds)
}

/** Reads those of these transfers that are unclaimed. */
export async function readUnclaimed(tx: Tx, ids: readonly TransferId[]): Promise<PendingTransfer[]> {
  return readWaiting(tx, `w.transfer_id = any($1::bigint[]) and w.reason = 'unclaimed'`, ids)
}

function readWaiting(tx: Tx, condition: string, ids: readonly bigint[]): Promise<PendingTransfer[]> {
  return rows<PendingTransfer>(
    tx,
    `select t.id, t.txid, t.log_index as "logIndex", t.deposit_address_id as "depositAddressId", t.amount,
            t.block_height as "height", t.block_time as "time", t.tx_index as "txIndex",
            true as "written", w.reason, w.reason = 'unclaimed' or w.was_unclaimed as "wasUnclaimed", w.node,
            s.order_id as "toOrderId", s.deposit_address_id as "toAddressId"
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
       left join transfer_assignment s on s.transfer_id = w.transfer_id
      where ${condition}`,
    [ids],
  )
}

/** Lists the unclaimed transfers at addresses of a merchant's users: address by address, each in chain order. */
export async function listUnclaimed(tx: Tx, merchantId: MerchantId, max: number): Promise<TransferId[]> {
  const found = await rows<{ id: TransferId }>(
    tx,
    `select t.id
       from waiting_transfer w
       join deposit_address a on a.id = w.deposit_address_id and a.localusermark <> ''
       join transfer t on t.id = w.transfer_id
      where w.merchant_id = $1 and w.reason = 'unclaimed'
      order by w.deposit_address_id, t.block_height, t.tx_index, t.log_index
      limit $2`,
    [merchantId, max],
  )
  return found.map(({ id }) => id)
}

/**
 * Finds the addresses where unclaimed transfers wait and an order appeared lately. It starts from the orders, because a
 * hundred thousand unclaimed transfers that nobody will ever claim may be waiting.
 * @param since orders created after it, up to `until`, both included.
 */
export async function addressesToClaim(tx: Tx, since: Date, until: Date): Promise<DepositAddressId[]> {
  // By merchant, because orders are indexed by merchant and time. The offsets keep the planner from scanning all orders or
  // all waiting transfers instead of looking up a few. If nothing is unclaimed, nothing is looked up.
  const addresses = await rows<{ id: DepositAddressId }>(
    tx,
    `select distinct o.deposit_address_id as id
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
    [since, until],
  )
  return addresses.map(({ id }) => id)
}

/** Finds them among all orders, starting from what waits. */
export async function allAddressesToClaim(tx: Tx): Promise<DepositAddressId[]> {
  const addresses = await rows<{ id: DepositAddressId }>(
    tx,
    `select distinct w.deposit_address_id as id
       from waiting_transfer w
      where w.reason = 'unclaimed'
        and exists (
          select from recharge_order o where o.deposit_address_id = w.deposit_address_id offset 0
        )`,
  )
  return addresses.map(({ id }) => id)
}

/** Writes which transfers wait and why. A transfer has a row here or a credit, never both. */
export async function keepWaiting(tx: Tx, kept: readonly KeptTransfer[]): Promise<void> {
  const changed = kept.filter(({ transfer, reason }) => !transfer.written || transfer.reason !== reason)
  if (changed.length === 0) return
  await run(
    tx,
    // The merchant is written here rather than by the table's trigger: that would look each address up by itself. The cursor's lock
    // keeps an address with its merchant.
    `insert into waiting_transfer (transfer_id, deposit_address_id, reason, node, merchant_id)
     select k.*, a.merchant_id
       from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) as k (transfer_id, address_id, reason, node)
       join deposit_address a on a.id = k.address_id
     on conflict (transfer_id) do update
        set reason = excluded.reason, was_unclaimed = waiting_transfer.was_unclaimed or waiting_transfer.reason = 'unclaimed'`,
    [
      changed.map(({ transfer }) => transfer.id),
      changed.map(({ transfer }) => transfer.depositAddressId),
      changed.map(({ reason }) => reason),
      changed.map(({ transfer }) => transfer.node),
    ],
  )
}

/** Deletes the rows of credited transfers. Most never had one. */
export async function stopWaiting(tx: Tx, transfers: readonly PendingTransfer[]): Promise<void> {
  const written = transfers.filter(transfer => transfer.written)
  if (written.length === 0) return
  await run(tx, `delete from waiting_transfer where transfer_id = any($1::bigint[])`, [
    written.map(transfer => transfer.id),
  ])
}

/** Lets a quarantined transfer wait for its turn again. @returns its address; empty when it is not quarantined. */
export async function releaseQuarantined(tx: Tx, transferId: TransferId): Promise<DepositAddressId[]> {
  const released = await rows<{ id: DepositAddressId }>(
    tx,
    `update waiting_transfer
        set reason = 'behind'
      where transfer_id = $1 and reason = 'quarantined'
      returning deposit_address_id as id`,
    [transferId],
  )
  return released.map(({ id }) => id)
}

/** Ends the wait of a transfer that waits for this reason. @returns null when it does not. */
export async function takeWaiting(
  tx: Tx,
  transferId: TransferId,
  reason: 'held' | 'quarantined' | 'unclaimed',
): Promise<{ addressId: DepositAddressId; node: string | null } | null> {
  const [taken] = await rows<{ addressId: DepositAddressId; node: string | null }>(
    tx,
    `delete from waiting_transfer
      where transfer_id = $1 and reason = $2
      returning deposit_address_id as "addressId", node`,
    [transferId, reason],
  )
  return taken ?? null
}

/** Lets transfers wait again whose rejection or settlement has ended. Logs are left out. @returns the transfers' addresses. */
export async function waitAgain(
  tx: Tx,
  ended: readonly EndedRejection[],
  reason: WaitReason,
): Promise<DepositAddressId[]> {
  const transfers = ended.filter(({ transferId }) => transferId !== null)
  if (transfers.length === 0) return []
  await run(
    tx,
    `insert into waiting_transfer (transfer_id, deposit_address_id, node, reason)
     select *, $4
       from unnest($1::bigint[], $2::bigint[], $3::text[])`,
    [
      transfers.map(({ transferId }) => transferId),
      transfers.map(({ depositAddressId }) => depositAddressId),
      transfers.map(({ node }) => node),
      reason,
    ],
  )
  return transfers.map(({ depositAddressId }) => depositAddressId!)
}

/** Reads whether a recorded transfer is credited (a deposit is, too), or else why it waits. */
export async function stateOf(tx: Tx, transferId: TransferId): Promise<WaitReason | 'credited'> {
  const [transfer] = await rows<{ state: WaitReason | 'credited' }>(
    tx,
    `select coalesce((select reason from waiting_transfer where transfer_id = $1), 'credited') as state`,
    [transferId],
  )
  return transfer!.state
}

/** How many transfers wait, and their sum. */
export type WaitingCounts = Record<WaitReason, { transfers: number; units: UsdtUnits }>

/** Counts the waiting transfers by reason. Every reason is in the result, with zeros when nothing waits for it. */
export async function waitingCounts(db: Queryable): Promise<WaitingCounts> {
  const found = await rows<{ reason: WaitReason; transfers: bigint; units: string }>(
    db,
    `select w.reason, count(*) as transfers, sum(t.amount)::text as units
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
      group by w.reason`,
  )
  const none = { transfers: 0, units: usdt(0n) }
  const counts: WaitingCounts = { unclaimed: none, held: none, quarantined: none, behind: none }
  for (const { reason, transfers, units } of found) {
    counts[reason] = { transfers: Number(transfers), units: usdt(BigInt(units)) }
  }
  return counts
}

/** How many transfers wait, by reason. */
export type WaitingNumbers = Record<WaitReason, number>

/**
 * Counts the waiting transfers alone, by the index of each reason.
 * @param max so many of a reason are counted, and one more; null: all.
 */
export async function countWaiting(db: Queryable, max: number | null): Promise<WaitingNumbers> {
  // In the order of an index: with the limit alone, the whole table would be scanned for a rare reason.
  const count = (reason: WaitReason) =>
    `(select count(*)::integer
        from (select from waiting_transfer where reason = '${reason}' order by transfer_id limit $1) w) as ${reason}`
  const [counts] = await rows<WaitingNumbers>(db, `select ${waitReasons.map(count).join(', ')}`, [
    max === null ? null : max + 1,
  ])
  return counts!
}

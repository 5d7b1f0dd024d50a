import type { TransferId } from '../base/ids.ts'
import type { IdPage } from '../db/id-page.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { SolidBlock } from '../tron/block.ts'

/** A log that cannot be decoded, or a transfer that cannot be credited. It waits for a person. */
export interface Quarantined {
  id: bigint
  txid: string
  logIndex: number
  height: number
  /** Position of its transaction in the block; null for a log quarantined by an older version. */
  txIndex: number | null
  reason: string
  /** The log as the node sent it; of a transfer, what was decoded. */
  log: unknown
  /** Null: an undecodable log. */
  transferId: TransferId | null
  createdAt: Date
}

const columns = `id, txid, log_index as "logIndex", block_height as "height", tx_index as "txIndex", reason, log,
            transfer_id as "transferId", created_at as "createdAt"`

/** Quarantines the blocks' undecodable logs as the node sent them. Following goes on, and nothing is guessed. */
export async function quarantineLogs(tx: Tx, blocks: readonly SolidBlock[]): Promise<number> {
  const logs = blocks.flatMap(block => block.undecodable.map(log => ({ height: block.height, ...log })))
  if (logs.length === 0) return 0
  return run(
    tx,
    `insert into quarantine (txid, log_index, block_height, tx_index, reason, log)
     select *
       from unnest($1::text[], $2::integer[], $3::integer[], $4::integer[], $5::text[], $6::jsonb[])
     on conflict (txid, log_index) do nothing`,
    [
      logs.map(log => log.txid),
      logs.map(log => log.logIndex),
      logs.map(log => log.height),
      logs.map(log => log.txIndex),
      logs.map(log => log.reason),
      logs.map(log => JSON.stringify(log.log)),
    ],
  )
}

/** Quarantines a recorded transfer that cannot be credited. If it was quarantined before, reopens its row with this reason. */
export async function quarantineTransfer(tx: Tx, transferId: TransferId, reason: string): Promise<void> {
  await run(
    tx,
    `insert into quarantine (txid, log_index, block_height, tx_index, reason, log, transfer_id)
     select t.txid, t.log_index, t.block_height, t.tx_index, $2,
            jsonb_build_object('from', t.from_address, 'to', a.address, 'amount', t.amount::text), t.id
       from transfer t
       join deposit_address a on a.id = t.deposit_address_id
      where t.id = $1
     on conflict (txid, log_index) do update
        set reason = excluded.reason, transfer_id = excluded.transfer_id, resolved_at = null`,
    [transferId, reason],
  )
}

/**
 * Reads what is quarantined, oldest first. A log that cannot be decoded is in no merchant's list, and neither is what was paid to an
 * address that is nobody's yet.
 */
export async function listQuarantined(
  db: Queryable,
  { merchantId, after, limit }: IdPage,
): Promise<Quarantined[]> {
  return rows<Quarantined>(
    db,
    `select ${columns}
       from quarantine q
      where resolved_at is null and id > $2
        and ($1::bigint is null
             or transfer_id is not null
            and exists (select
                          from transfer t
                          join deposit_address a on a.id = t.deposit_address_id
                         where t.id = q.transfer_id and a.merchant_id = $1 and a.localusermark <> ''))
      order by id
      limit $3`,
    [merchantId, after ?? 0n, limit],
  )
}

/** Locks one row. @returns null when there is none with that id, or it is resolved. */
export async function lockQuarantined(tx: Tx, id: bigint): Promise<Quarantined | null> {
  const [quarantined] = await rows<Quarantined>(
    tx,
    `select ${columns}
       from quarantine
      where id = $1 and resolved_at is null
        for update`,
    [id],
  )
  return quarantined ?? null
}

/** Ends a quarantine. Its row is kept. */
export async function resolveQuarantined(tx: Tx, id: bigint): Promise<void> {
  await run(tx, `update quarantine set resolved_at = now() where id = $1`, [id])
}

/** Quarantines again what was resolved, for the reason it was quarantined before. */
export async function reopenQuarantine(tx: Tx, id: bigint): Promise<void> {
  await run(tx, `update quarantine set resolved_at = null where id = $1`, [id])
}

/** Ends the quarantine of logs that could not be decoded and are recorded as transfers now. */
export async function resolveDecodedLogs(
  tx: Tx,
  recorded: readonly { txid: string; logIndex: number }[],
): Promise<void> {
  if (recorded.length === 0) return
  await run(
    tx,
    `update quarantine q
        set resolved_at = now()
       from unnest($1::text[], $2::integer[]) as t (txid, log_index)
      where q.txid = t.txid and q.log_index = t.log_index and q.resolved_at is null and q.transfer_id is null`,
    [recorded.map(({ txid }) => txid), recorded.map(({ logIndex }) => logIndex)],
  )
}

/** Writes why a log still cannot be decoded. */
export async function noteQuarantined(tx: Tx, id: bigint, reason: string): Promise<void> {
  await run(tx, `update quarantine set reason = $2 where id = $1`, [id, reason])
}

/** Counts what is quarantined. */
export async function openQuarantine(db: Queryable): Promise<number> {
  const [open] = await rows<{ count: bigint }>(
    db,
    `select count(*) from quarantine where resolved_at is null`,
  )
  return Number(open!.count)
}

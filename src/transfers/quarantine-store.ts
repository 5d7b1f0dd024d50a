import type { TransferId } from '../base/ids.ts'
import type { Queryable, Tx } from '../db/pool.ts'
import type { SolidBlock } from '../tron/block.ts'

/** Something parked for a person to look at: a log that cannot be decoded, or a transfer that cannot be credited. */
export interface Quarantined {
  id: bigint
  txid: string
  logIndex: number
  height: number
  /** Position of its transaction in the block; null for a log parked by an older version. */
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

/** Parks what cannot be decoded, with its log as the node sent it; the scan goes on and nothing is guessed. */
export async function quarantineLogs(tx: Tx, blocks: readonly SolidBlock[]): Promise<number> {
  const logs = blocks.flatMap(block => block.undecodable.map(log => ({ height: block.height, ...log })))
  if (logs.length === 0) return 0
  const { rowCount } = await tx.query(
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
  return rowCount ?? 0
}

/** Parks a recorded transfer that cannot be credited; one that was parked before is so again, for this reason. */
export async function quarantineTransfer(tx: Tx, transferId: TransferId, reason: string): Promise<void> {
  await tx.query(
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

/** Reads what is parked, oldest first. */
export async function listQuarantined(db: Queryable, pageMax: number): Promise<Quarantined[]> {
  const { rows } = await db.query(
    `select ${columns}
       from quarantine
      where resolved_at is null
      order by id
      limit $1`,
    [pageMax],
  )
  return rows
}

/** Locks one that is parked. @returns null when there is none of that id, or it is resolved. */
export async function lockQuarantined(tx: Tx, id: bigint): Promise<Quarantined | null> {
  const { rows } = await tx.query(
    `select ${columns}
       from quarantine
      where id = $1 and resolved_at is null
        for update`,
    [id],
  )
  return rows[0] ?? null
}

/** It is parked no longer; its row stays. */
export async function resolveQuarantined(tx: Tx, id: bigint): Promise<void> {
  await tx.query(`update quarantine set resolved_at = now() where id = $1`, [id])
}

/** A log that could not be decoded and is recorded as a transfer now is parked no longer. */
export async function resolveDecodedLogs(
  tx: Tx,
  recorded: readonly { txid: string; logIndex: number }[],
): Promise<void> {
  if (recorded.length === 0) return
  await tx.query(
    `update quarantine q
        set resolved_at = now()
       from unnest($1::text[], $2::integer[]) as t (txid, log_index)
      where q.txid = t.txid and q.log_index = t.log_index and q.resolved_at is null and q.transfer_id is null`,
    [recorded.map(({ txid }) => txid), recorded.map(({ logIndex }) => logIndex)],
  )
}

/** Says why a log still cannot be decoded. */
export async function noteQuarantined(tx: Tx, id: bigint, reason: string): Promise<void> {
  await tx.query(`update quarantine set reason = $2 where id = $1`, [id, reason])
}

/** How many are parked. */
export async function openQuarantine(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ count: bigint }>(
    `select count(*) from quarantine where resolved_at is null`,
  )
  return Number(rows[0]!.count)
}

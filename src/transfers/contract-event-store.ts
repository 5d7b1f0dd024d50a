import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { ContractAlarmEvent, SolidBlock } from '../tron/block.ts'

/** An event of the USDT contract that changes what its transfers mean. It waits until a person has looked at it. */
export interface ContractEvent {
  id: bigint
  txid: string
  logIndex: number
  event: ContractAlarmEvent
  height: number
  time: Date
  /** Null while nobody has acknowledged it. */
  acknowledgedAt: Date | null
  acknowledgedBy: string | null
}

const columns = `id, txid, log_index as "logIndex", event, block_height as "height", block_time as "time",
            acknowledged_at as "acknowledgedAt", acknowledged_by as "acknowledgedBy"`

/** Records the blocks' events. One that is recorded already stays as it is, acknowledged or not. */
export async function recordContractEvents(
  tx: Tx,
  blocks: readonly Pick<SolidBlock, 'alarms' | 'height' | 'time'>[],
): Promise<void> {
  const events = blocks.flatMap(({ alarms, height, time }) => alarms.map(one => ({ ...one, height, time })))
  if (events.length === 0) return
  await run(
    tx,
    `insert into contract_event (txid, log_index, event, block_height, block_time)
     select *
       from unnest($1::text[], $2::integer[], $3::text[], $4::integer[], $5::timestamptz[])
     on conflict (txid, log_index) do nothing`,
    [
      events.map(({ txid }) => txid),
      events.map(({ logIndex }) => logIndex),
      events.map(({ event }) => event),
      events.map(({ height }) => height),
      events.map(({ time }) => time),
    ],
  )
}

/** Reads events, newest first. @param options.open those alone that nobody has acknowledged. */
export async function listContractEvents(
  db: Queryable,
  { open, pageMax }: { open: boolean; pageMax: number },
): Promise<ContractEvent[]> {
  return rows<ContractEvent>(
    db,
    `select ${columns}
       from contract_event
      where acknowledged_at is null or not $1
      order by id desc
      limit $2`,
    [open, pageMax],
  )
}

/** Counts the events that nobody has acknowledged, and names the oldest of them. */
export async function openContractEvents(
  db: Queryable,
): Promise<{ events: number; event: ContractAlarmEvent | null; height: number | null }> {
  const [open] = await rows<{ events: number; event: ContractAlarmEvent | null; height: number | null }>(
    db,
    `select count(*)::integer as events, (array_agg(event order by id))[1] as event, min(block_height) as height
       from contract_event
      where acknowledged_at is null`,
  )
  return open!
}

/** Acknowledges an event, or all up to it. @returns those that were open until now. */
export async function acknowledgeContractEvents(
  tx: Tx,
  { id, earlierToo, by }: { id: bigint; earlierToo: boolean; by: string },
): Promise<ContractEvent[]> {
  return rows<ContractEvent>(
    tx,
    `update contract_event
        set acknowledged_at = now(), acknowledged_by = $3
      where (id = $1 or ($2 and id < $1)) and acknowledged_at is null
      returning ${columns}`,
    [id, earlierToo, by],
  )
}

import { randomBytes } from 'node:crypto'
import type { CreditId, DepositAddressId, OrderId, TransferId } from '../../src/base/ids.ts'
import { type Queryable, rows, run } from '../../src/db/pool.ts'
import { usualAmount } from './seed.ts'

/** Where transfers come from unless said otherwise. */
export const payer = 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm'

export interface TransferFacts {
  addressId: DepositAddressId
  txid?: string
  /** Default 0. */
  logIndex?: number
  from?: string
  amount?: bigint
  /** Default 1. */
  height?: number
  /** Default: now. */
  blockTime?: Date
  /** Default 0. */
  txIndex?: number
}

export interface SeededTransfer {
  transferId: TransferId
  txid: string
}

/** Adds a transfer that is neither credited nor waiting. */
export async function seedTransfer(db: Queryable, facts: TransferFacts): Promise<SeededTransfer> {
  const [seeded] = await seedTransfers(db, [facts])
  return seeded!
}

export async function seedTransfers(
  db: Queryable,
  facts: readonly TransferFacts[],
): Promise<SeededTransfer[]> {
  const [txids, ...others] = transferColumns(facts)
  const added = await rows<{ id: TransferId }>(
    db,
    `insert into transfer
       (txid, log_index, deposit_address_id, from_address, amount, block_height, block_time, tx_index, block_hash)
     select *, 'hash'
       from unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::bigint[], $6::int[], $7::timestamptz[], $8::int[])
     returning id`,
    [txids, ...others, facts.map(fact => fact.txIndex ?? 0)],
  )
  return added.map(({ id }, i) => ({ transferId: id, txid: txids[i]! }))
}

/** Adds a transfer that waits. */
export async function seedWaiting(
  db: Queryable,
  { reason, ...facts }: TransferFacts & { reason: string },
): Promise<SeededTransfer> {
  const seeded = await seedTransfer(db, facts)
  await run(
    db,
    `insert into waiting_transfer (transfer_id, deposit_address_id, reason) values ($1, $2, $3)`,
    [seeded.transferId, facts.addressId, reason],
  )
  return seeded
}

/** Adds what was seen in a block that is not solidified yet. */
export async function seedSeen(db: Queryable, facts: TransferFacts): Promise<void> {
  await run(
    db,
    `insert into seen_transfer
       (txid, log_index, deposit_address_id, from_address, amount, block_height, block_time, block_hash)
     select *, 'hash'
       from unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::bigint[], $6::int[], $7::timestamptz[])`,
    transferColumns([facts]),
  )
}

function transferColumns(facts: readonly TransferFacts[]): [txids: string[], ...others: unknown[][]] {
  return [
    facts.map(fact => fact.txid ?? randomBytes(32).toString('hex')),
    facts.map(fact => fact.logIndex ?? 0),
    facts.map(fact => fact.addressId),
    facts.map(fact => fact.from ?? payer),
    facts.map(fact => fact.amount ?? usualAmount),
    facts.map(fact => fact.height ?? 1),
    facts.map(fact => fact.blockTime ?? new Date()),
  ]
}

export interface CreditFacts {
  transferId: TransferId
  orderId: OrderId
  /** Of the order, with this credit. Default: this credit's amount. */
  received?: bigint
  /** Default false. */
  late?: boolean
}

/** Credits a transfer to an order. The order's own totals stay as they are. */
export async function seedCredit(db: Queryable, facts: CreditFacts): Promise<CreditId> {
  const [seeded] = await seedCredits(db, [facts])
  return seeded!
}

export async function seedCredits(db: Queryable, facts: readonly CreditFacts[]): Promise<CreditId[]> {
  const added = await rows<{ id: CreditId }>(
    db,
    `insert into credit (transfer_id, order_id, amount, received, late)
     select t.id, c.order_id, t.amount, coalesce(c.received, t.amount), c.late
       from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[])
              with ordinality as c (transfer_id, order_id, received, late, position)
       join transfer t on t.id = c.transfer_id
      order by c.position
     returning id`,
    [
      facts.map(fact => fact.transferId),
      facts.map(fact => fact.orderId),
      facts.map(fact => fact.received),
      facts.map(fact => fact.late ?? false),
    ],
  )
  return added.map(({ id }) => id)
}

/** Adds logs of a transaction that nobody could read, by their index. */
export async function seedQuarantine(
  db: Queryable,
  { txid, logs }: { txid: string; logs: readonly number[] },
): Promise<void> {
  await run(
    db,
    `insert into quarantine (txid, log_index, block_height, tx_index, reason, log)
     select $1, n, 5, 0, 'not understood', '{"address":"ff","topics":["ff"],"data":"ff"}' from unnest($2::int[]) n`,
    [txid, logs],
  )
}

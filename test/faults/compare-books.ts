import type { Pool } from '../../src/db/pool.ts'
import { owedFor, type PaidOrder } from './paying-load.ts'
import type { Receipt, Shop } from './shop.ts'

/** A time in which a fault was at work: what is sent twice across it is owed to it. */
export interface FaultSpan {
  from: number
  to: number
  /** How many faults there were in it. */
  count: number
}

/** What the comparison came to; each line a sentence that names the offender. */
export interface Findings {
  /** Payments that are true on the chain and not credited, or credited and not booked; orders answered and not there. */
  lost: string[]
  /** Credits that no payment stands for, and money booked twice under two keys. */
  doubled: string[]
  /** Callbacks sent again after they had been acknowledged: how many, and those no fault accounts for. */
  sentAgain: number
  unexcused: string[]
  /** Whatever else must not be. */
  wrong: string[]
}

interface TrueTransfer {
  txid: string
  logIndex: number
  to: string
  amount: string
}

/** Holds the chain's truth, the database, and the merchants' own books against each other. */
export async function compareBooks(options: {
  pool: Pool
  sandboxUrl: string
  shops: readonly Shop[]
  orders: readonly PaidOrder[]
  faults: readonly FaultSpan[]
  /** Up to which amount a transfer may be recorded that is not on the chain: by the only host's word. Default: none may. */
  byOneWord?: bigint | undefined
}): Promise<Findings> {
  const findings: Findings = { lost: [], doubled: [], sentAgain: 0, unexcused: [], wrong: [] }
  const truth = (await (await fetch(`${options.sandboxUrl}/sandbox/truth`)).json()) as {
    transfers: TrueTransfer[]
  }
  await compareTransfers(
    options.pool,
    { truth: truth.transfers, byOneWord: options.byOneWord ?? 0n },
    findings,
  )
  await compareOrders(options, findings)
  await compareChain(options.pool, findings)
  for (const shop of options.shops) compareReceipts(shop.receipts, options.faults, findings)
  return findings
}

/** Each payment to an address of ours has one transfer and one credit, and nothing else has, but what one word is taken for. */
async function compareTransfers(
  pool: Pool,
  { truth, byOneWord }: { truth: readonly TrueTransfer[]; byOneWord: bigint },
  findings: Findings,
): Promise<void> {
  const { rows: addresses } = await pool.query<{ address: string }>(`select address from deposit_address`)
  const ours = new Set(addresses.map(row => row.address))
  const { rows } = await pool.query(
    `select t.txid || ' ' || t.log_index as id, t.amount, count(c.id)::int as credits, coalesce(sum(c.amount), 0) as credited
       from transfer t
       left join credit c on c.transfer_id = t.id
      group by t.id`,
  )
  const recorded = new Map(rows.map(row => [row.id as string, row]))
  for (const { txid, logIndex, to, amount } of truth.filter(transfer => ours.has(transfer.to))) {
    const row = recorded.get(`${txid} ${logIndex}`)
    recorded.delete(`${txid} ${logIndex}`)
    if (!row) findings.lost.push(`transfer ${txid} of ${amount} to ${to} is not recorded`)
    else if (row.credits === 0) findings.lost.push(`transfer ${txid} of ${amount} to ${to} is not credited`)
    else if (row.credits > 1 || `${row.credited}` !== amount || `${row.amount}` !== amount)
      findings.doubled.push(`transfer ${txid} of ${amount} is credited ${row.credits} times, ${row.credited}`)
  }
  for (const [id, { amount }] of recorded)
    if (amount > byOneWord) findings.doubled.push(`transfer ${id} of ${amount} is not on the chain`)
}

/** Begins the orderid of orders that a row has written into the database itself. */
export const writtenOrderPrefix = 'written-'

/**
 * Each order answered is there as answered, holds what was paid for it, and its merchant has booked just that. No address
 * was answered for two users, or for two orders that each have one of their own.
 */
async function compareOrders(
  { pool, shops, orders }: { pool: Pool; shops: readonly Shop[]; orders: readonly PaidOrder[] },
  findings: Findings,
): Promise<void> {
  const { rows } = await pool.query(
    `select m.appid || ' ' || o.orderid as id, m.appid, o.orderid, o.ordersn, d.address, o.received
       from recharge_order o
       join merchant m on m.id = o.merchant_id
       join deposit_address d on d.id = o.deposit_address_id`,
  )
  const kept = new Map(rows.map(row => [row.id as string, row]))
  const holders = new Map<string, string>()
  for (const order of orders) {
    const id = `${order.shop.appid} ${order.orderid}`
    const row = kept.get(id)
    kept.delete(id)
    if (!order.answered) continue
    const { address } = order.answered
    const holder = holders.get(address) ?? order.holder
    holders.set(address, holder)
    if (holder !== order.holder)
      findings.wrong.push(`${address} was given to ${holder} and to ${order.holder}`)
    if (!row) {
      findings.lost.push(`${order.orderid} was answered and is not there`)
      continue
    }
    if (row.ordersn !== order.answered.ordersn || row.address !== address)
      findings.wrong.push(`${order.orderid} was answered with another number or address than it has`)
    if (row.received !== order.paidUnits)
      findings.wrong.push(`${order.orderid} received ${row.received} of ${order.paidUnits} paid`)
    const booked = order.shop.booked.get(order.orderid) ?? 0n
    if (booked < owedFor(order))
      findings.lost.push(`${order.orderid}: its merchant booked ${booked} of ${owedFor(order)}`)
    if (booked > owedFor(order))
      findings.doubled.push(`${order.orderid}: its merchant booked ${booked} instead of ${owedFor(order)}`)
  }
  const shopOf = new Map(shops.map(shop => [shop.appid, shop]))
  for (const [id, { appid, orderid, received }] of kept) {
    if (!orderid.startsWith(writtenOrderPrefix)) findings.wrong.push(`nobody made the order ${id}`)
    const booked = shopOf.get(appid)?.booked.get(orderid) ?? 0n
    const owed = received / 100n
    if (booked < owed) findings.lost.push(`${id}: its merchant booked ${booked} of ${owed}`)
    if (booked > owed) findings.doubled.push(`${id}: its merchant booked ${booked} instead of ${owed}`)
  }
}

async function compareChain(pool: Pool, findings: Findings): Promise<void> {
  const { rows } = await pool.query(
    `select height from chain_block b
      where height > (select min(height) from chain_block)
        and not exists (select from chain_block p where p.height = b.height - 1 and p.hash = b.parent_hash)`,
  )
  for (const { height } of rows) findings.wrong.push(`block ${height} does not link to the one before it`)
}

/** One key says the same at every attempt, in good signatures, and comes again after its acknowledgement only for a fault. */
function compareReceipts(
  receipts: readonly Receipt[],
  faults: readonly FaultSpan[],
  findings: Findings,
): void {
  const before = new Map<string, { said: string; acknowledgedAt: number | null; again: number }>()
  for (const { key, fields, at, acknowledged, faults: badSigns } of receipts) {
    for (const fault of badSigns) findings.wrong.push(`${key}: ${fault}`)
    const { t: _, sign: __, ...facts } = fields
    const said = JSON.stringify(facts)
    const known = before.get(key) ?? { said, acknowledgedAt: null, again: 0 }
    before.set(key, known)
    if (said !== known.said) findings.wrong.push(`${key} said ${known.said}, then ${said}`)
    if (known.acknowledgedAt !== null) {
      const since = known.acknowledgedAt
      findings.sentAgain++
      known.again++
      const between = faults.filter(({ from, to }) => from <= at && to >= since)
      if (between.length === 0 || known.again > faults.reduce((sum, { count }) => sum + count, 0))
        findings.unexcused.push(`${key} was sent again ${at - since} ms after its acknowledgement`)
    }
    if (acknowledged) known.acknowledgedAt = at
  }
}

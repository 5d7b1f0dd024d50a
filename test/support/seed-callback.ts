import type { CallbackId, CreditId, DepositAddressId, OrderId } from '../../src/base/ids.ts'
import { usdt, wholeLegacyUnits } from '../../src/base/money.ts'
import { callbackKey, depositKey } from '../../src/callbacks/outbox/callback.ts'
import { insertCallbacks, originOf } from '../../src/callbacks/outbox/callback-store.ts'
import { inTransaction, type Pool, type Queryable, rows, run } from '../../src/db/pool.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'
import { seedAddresses, seedOrders, usualAmount } from './seed.ts'
import { seedCredits, seedTransfer, seedTransfers, type TransferFacts } from './seed-transfer.ts'

/** An order that is paid in full by one transfer. */
export interface PaidOrder {
  merchant: Merchant
  /** Default: none, so that the callback goes to the merchant's own URL. */
  notifyUrl?: string
  orderid?: string
  amount?: bigint
}

export interface SeededCallback {
  key: string
  callbackId: CallbackId
  addressId: DepositAddressId
  orderId: OrderId
  orderid: string
}

/** Adds a paid order with its address, its transfer, its credit and the callback that announces it, which is due. */
export async function seedCallback(pool: Pool, order: PaidOrder): Promise<SeededCallback> {
  const [seeded] = await seedCallbacks(pool, [order])
  return seeded!
}

/** Adds any number of them in one transaction. They are announced in their order. */
export async function seedCallbacks(pool: Pool, orders: readonly PaidOrder[]): Promise<SeededCallback[]> {
  return inTransaction(pool, async tx => {
    const user = { localusermark: '1', username: 'a1', isBase: false }
    const addresses = await seedAddresses(
      tx,
      orders.map(order => ({ ...user, merchantId: order.merchant.id })),
    )
    const amounts = orders.map(order => order.amount ?? usualAmount)
    const paid = addresses.map(({ addressId }, i) => ({ addressId, amount: amounts[i]! }))
    const placed = await seedOrders(
      tx,
      paid.map(({ addressId, amount }, i) => {
        const { orderid, notifyUrl } = orders[i]!
        return { addressId, amount, received: amount, orderid, notifyUrl }
      }),
    )
    const transfers = await seedTransfers(tx, paid)
    const credits = await seedCredits(
      tx,
      transfers.map(({ transferId }, i) => ({ transferId, orderId: placed[i]!.orderId })),
    )
    const callbacks = orders.map(({ merchant, notifyUrl }, i) => ({
      key: callbackKey('0'.repeat(64), 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t', transfers[i]!.txid, 0),
      merchantId: merchant.id,
      orderId: placed[i]!.orderId,
      creditId: credits[i]!,
      bodyAmount: wholeLegacyUnits(usdt(amounts[i]!)),
      received: usdt(amounts[i]!),
      orderState: 'paid' as const,
      late: false,
      origin: originOf(notifyUrl ?? merchant.callbackUrl),
    }))
    await insertCallbacks(tx, callbacks)
    const written = await rows<{ id: CallbackId; key: string }>(
      tx,
      `select id, key from callback where key = any($1)`,
      [callbacks.map(callback => callback.key)],
    )
    const ids = new Map(written.map(({ id, key }) => [key, id]))
    return callbacks.map(({ key }, i) => ({
      key,
      callbackId: ids.get(key)!,
      ...addresses[i]!,
      ...placed[i]!,
    }))
  })
}

/** Adds a deposit, the first of its address unless `received` says otherwise, with the callback that announces it, which is due. */
export async function seedDeposit(
  pool: Pool,
  { merchant, received, ...facts }: TransferFacts & { merchant: Merchant; received?: bigint },
): Promise<{ key: string; callbackId: CallbackId; txid: string }> {
  return inTransaction(pool, async tx => {
    const amount = facts.amount ?? usualAmount
    const { transferId, txid } = await seedTransfer(tx, { ...facts, amount })
    const [credit] = await rows<{ id: CreditId }>(
      tx,
      `insert into credit (transfer_id, deposit_address_id, amount, received, late)
       values ($1, $2, $3, $4, false)
       returning id`,
      [transferId, facts.addressId, amount, received ?? amount],
    )
    const key = depositKey('0'.repeat(64), 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t', txid, facts.logIndex ?? 0)
    await insertCallbacks(tx, [
      {
        ...{
          key,
          merchantId: merchant.id,
          orderId: null,
          creditId: credit!.id,
          orderState: null,
          late: false,
        },
        bodyAmount: wholeLegacyUnits(usdt(amount)),
        received: usdt(received ?? amount),
        origin: originOf(merchant.callbackUrl),
      },
    ])
    const [written] = await rows<{ id: CallbackId }>(tx, `select id from callback where key = $1`, [key])
    return { key, callbackId: written!.id, txid }
  })
}

export interface AttemptFacts {
  callbackId: CallbackId
  /** Default 1. */
  attempt?: number
  /** Default: now. */
  startedAt?: Date
  /** Default: acknowledged, by 200 and 'ok'. */
  outcome?: string
  status?: number | null
  answer?: string | null
  /** Default: none, as older versions record it. */
  scheduleStep?: number
  retryInMs?: number
}

/** Adds an attempt to the history. The callback and its outbox row stay as they are. */
export async function seedAttempt(db: Queryable, facts: AttemptFacts): Promise<void> {
  await run(
    db,
    `insert into callback_attempt (callback_id, attempt, started_at, duration_ms, url, outcome, status, answer, schedule_step, retry_in_ms)
     values ($1, $2, $3, 12, 'https://shop.example/cb', $4, $5, $6, $7, $8)`,
    [
      facts.callbackId,
      facts.attempt ?? 1,
      facts.startedAt ?? new Date(),
      facts.outcome ?? 'acknowledged',
      facts.status === undefined ? 200 : facts.status,
      facts.answer === undefined ? 'ok' : facts.answer,
      facts.scheduleStep,
      facts.retryInMs,
    ],
  )
}

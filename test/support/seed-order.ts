import { randomBytes } from 'node:crypto'
import type { CallbackId, CreditId, MerchantId, OrderId } from '../../src/base/ids.ts'
import { usdt, wholeLegacyUnits } from '../../src/base/money.ts'
import { callbackKey } from '../../src/callbacks/outbox/callback.ts'
import { insertCallbacks, originOf } from '../../src/callbacks/outbox/callback-store.ts'
import { inTransaction, type Pool } from '../../src/db/pool.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'
import type { MerchantDirectory } from '../../src/merchants/merchant-directory.ts'

// Orders as they are once they have been paid: written by SQL, so that a test of what comes after needs no chain.

/** The order's URL is the merchant's default unless it has one of its own; amounts in base units. */
export interface PaidOrder {
  merchant: Merchant
  notifyUrl?: string
  orderid?: string
  amount?: bigint
}

export interface SeededCallback {
  key: string
  callbackId: CallbackId
  orderId: OrderId
  orderid: string
}

/** A merchant with an address counter of its own, in the database and as the directory would hold it. */
export async function seedMerchant(pool: Pool, settings: Partial<Merchant> = {}): Promise<Merchant> {
  const appid = randomBytes(8).toString('hex')
  const counter = await pool.query(
    `insert into address_counter (public_key, chain_code, xpub) values ($1, $2, 'xpub') returning id`,
    [randomBytes(33), randomBytes(32)],
  )
  const merchant: Omit<Merchant, 'id'> = {
    appid,
    name: `merchant ${appid}`,
    addressCounterId: counter.rows[0].id,
    keys: [{ id: 1n, scheme: 'hmac-sha256', key: randomBytes(16).toString('hex'), promoted: true }],
    webhookSecrets: [`whsec_${randomBytes(32).toString('base64')}`],
    callbackUrl: null,
    callbackFormat: 'form',
    callbackFields: 'six',
    acknowledgement: null,
    always200: false,
    requireNonce: false,
    allowedClients: null,
    disabledAt: null,
    ...settings,
  }
  const { rows } = await pool.query(
    `insert into merchant
       (appid, name, address_counter_id, callback_url, callback_format, callback_fields, acknowledgement, disabled_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     returning id`,
    [
      merchant.appid,
      merchant.name,
      merchant.addressCounterId,
      merchant.callbackUrl,
      merchant.callbackFormat,
      merchant.callbackFields,
      merchant.acknowledgement,
      merchant.disabledAt,
    ],
  )
  return { ...merchant, id: rows[0].id as MerchantId }
}

/** A directory of these merchants and no others. */
export function directoryOf(...merchants: Merchant[]): MerchantDirectory {
  return {
    byAppid: appid => merchants.find(merchant => merchant.appid === appid),
    byId: id => merchants.find(merchant => merchant.id === id),
    refresh: async () => undefined,
    close: async () => undefined,
  }
}

/** One paid order, its transfer, its credit and the callback that announces it. */
export async function seedCallback(pool: Pool, order: PaidOrder): Promise<SeededCallback> {
  const [seeded] = await seedCallbacks(pool, [order])
  return seeded!
}

/** Any number of them, in one transaction, announced in their order. */
export async function seedCallbacks(pool: Pool, orders: readonly PaidOrder[]): Promise<SeededCallback[]> {
  const seeds = orders.map(order => ({
    order,
    tag: randomBytes(20),
    orderid: order.orderid ?? `sh-${randomBytes(8).toString('hex')}`,
    amount: order.amount ?? 3_000_000n,
    txid: randomBytes(32).toString('hex'),
    url: order.notifyUrl ?? null,
  }))
  return inTransaction(pool, async tx => {
    const { rows } = await tx.query(
      `with seed as (
         select * from unnest($1::bigint[], $2::bytea[], $3::text[], $4::bigint[], $5::text[], $6::text[])
                       with ordinality as s (merchant_id, tag, orderid, amount, txid, url, position)
       ), address as (
         insert into deposit_address (address, address_bytes, merchant_id, localusermark, username, is_base)
         select 'T' || translate(substr(encode(tag, 'hex'), 1, 33), '0', 'z'), tag, merchant_id, '1', 'a1', false
           from seed
         returning id, address_bytes
       ), placed as (
         insert into recharge_order
           (merchant_id, orderid, username, localusermark, deposit_address_id, amount, received, announced, notify_url,
            expires_at)
         select s.merchant_id, s.orderid, 'a1', '1', a.id, s.amount, s.amount, s.amount / 100, s.url,
                now() + interval '1 day'
           from seed s
           join address a on a.address_bytes = s.tag
         returning id, merchant_id, orderid
       ), paid as (
         insert into transfer
           (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time, tx_index)
         select s.txid, 0, a.id, 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', s.amount, 1, 'hash', now(), 0
           from seed s
           join address a on a.address_bytes = s.tag
         returning id, txid
       ), credited as (
         insert into credit (transfer_id, order_id, amount, received, late)
         select p.id, o.id, s.amount, s.amount, false
           from seed s
           join paid p on p.txid = s.txid
           join placed o on o.merchant_id = s.merchant_id and o.orderid = s.orderid
         returning id, order_id
       )
       select o.id as order_id, c.id as credit_id
         from seed s
         join placed o on o.merchant_id = s.merchant_id and o.orderid = s.orderid
         join credited c on c.order_id = o.id
        order by s.position`,
      [
        seeds.map(seed => seed.order.merchant.id),
        seeds.map(seed => seed.tag),
        seeds.map(seed => seed.orderid),
        seeds.map(seed => seed.amount),
        seeds.map(seed => seed.txid),
        seeds.map(seed => seed.url),
      ],
    )
    const callbacks = seeds.map((seed, i) => ({
      key: callbackKey('0'.repeat(64), 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t', seed.txid, 0),
      merchantId: seed.order.merchant.id,
      orderId: rows[i].order_id as OrderId,
      creditId: rows[i].credit_id as CreditId,
      bodyAmount: wholeLegacyUnits(usdt(seed.amount)),
      received: usdt(seed.amount),
      orderState: 'paid' as const,
      late: false,
      origin: originOf(seed.url ?? seed.order.merchant.callbackUrl),
    }))
    await insertCallbacks(tx, callbacks)
    const written = await tx.query(`select id, key from callback where key = any($1)`, [
      callbacks.map(callback => callback.key),
    ])
    const ids = new Map(written.rows.map(row => [row.key, row.id]))
    return callbacks.map((callback, i) => ({
      key: callback.key,
      callbackId: ids.get(callback.key),
      orderId: callback.orderId,
      orderid: seeds[i]!.orderid,
    }))
  })
}

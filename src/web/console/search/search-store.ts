import type { UsdtUnits } from '../../../base/money.ts'
import { type Queryable, rows } from '../../../db/pool.ts'
import type {
  AddressHit,
  CallbackHit,
  OrderHit,
  QuarantineHit,
  SearchScope,
  TransferHit,
  UserHit,
} from './search-hit.ts'

// Each statement finds its rows by an index that is there for something else, for one merchant ($1) or for all (null). What is
// unique within a merchant is looked up merchant by merchant: a lateral with a limit cannot be planned in another way, and a
// few hundred look-ups take a millisecond or two. test/web/console/search/search-plans.test.ts reads the plans.

/** More than is shown of a kind, so that it is known whether there are more. */
export const hitsMax = 20
const limit = hitsMax + 1

/** Orders are not indexed by their amount, since each order would pay for that: so many of the newest are looked at. */
export const amountOrdersMax = 5_000
const amountWaitingMax = 1_000

const merchantColumns = `m.appid, m.name as "merchantName"`
const ofScope = '($1::bigint is null or m.id = $1)'
const orderColumns = `'order' as kind, o.ordersn, o.orderid, o.localusermark, o.amount, o.received, o.created_at as "createdAt"`

export function findByOrderid(db: Queryable, scope: SearchScope, orderid: string): Promise<OrderHit[]> {
  return rows<OrderHit>(
    db,
    `select ${orderColumns}, ${merchantColumns}
       from merchant m
      cross join lateral (
        select * from recharge_order where merchant_id = m.id and orderid = $2 limit 1
      ) o
      where ${ofScope}
      order by o.created_at desc
      limit ${limit}`,
    [scope, orderid],
  )
}

export function findByOrdersn(db: Queryable, scope: SearchScope, ordersn: string): Promise<OrderHit[]> {
  return rows<OrderHit>(
    db,
    `select ${orderColumns}, ${merchantColumns}
       from recharge_order o
       join merchant m on m.id = o.merchant_id
      where o.ordersn = $2 and ${ofScope}`,
    [scope, ordersn],
  )
}

export function findByPayToken(db: Queryable, scope: SearchScope, token: Buffer): Promise<OrderHit[]> {
  return rows<OrderHit>(
    db,
    `select ${orderColumns}, ${merchantColumns}
       from pay_link l
       join recharge_order o on o.id = l.order_id
       join merchant m on m.id = o.merchant_id
      where l.token = $2 and ${ofScope}`,
    [scope, token],
  )
}

/** Finds orders that ask for an amount, or have received it, among the newest. */
export function findOrdersOfAmount(
  db: Queryable,
  scope: SearchScope,
  amount: UsdtUnits,
): Promise<OrderHit[]> {
  // Of all merchants the newest are those with the highest ids; there is no index on the time alone.
  const newest =
    scope === null
      ? `select * from recharge_order where $1::bigint is null order by id desc limit ${amountOrdersMax}`
      : `select * from recharge_order where merchant_id = $1 order by created_at desc, id desc limit ${amountOrdersMax}`
  return rows<OrderHit>(
    db,
    `select ${orderColumns}, ${merchantColumns}
       from (${newest}) o
       join merchant m on m.id = o.merchant_id
      where o.amount = $2 or o.received = $2
      order by o.created_at desc, o.id desc
      limit ${limit}`,
    [scope, amount],
  )
}

export function findUsers(db: Queryable, scope: SearchScope, localusermark: string): Promise<UserHit[]> {
  return rows<UserHit>(
    db,
    `select 'user' as kind, d.localusermark, ${merchantColumns}
       from merchant m
      cross join lateral (
        select localusermark from deposit_address where merchant_id = m.id and localusermark = $2 limit 1
      ) d
      where ${ofScope}
      order by m.id
      limit ${limit}`,
    [scope, localusermark],
  )
}

/** Finds an address. Merchants do not see those that were skipped after a restore. */
export function findAddress(db: Queryable, scope: SearchScope, address: string): Promise<AddressHit[]> {
  return rows<AddressHit>(
    db,
    `select 'address' as kind, d.address, d.localusermark, ${merchantColumns}
       from deposit_address d
       join merchant m on m.id = d.merchant_id
      where d.address = $2 and ${ofScope} and ($1::bigint is null or d.localusermark <> '')`,
    [scope, address],
  )
}

export function findCallback(db: Queryable, scope: SearchScope, key: string): Promise<CallbackHit[]> {
  return rows<CallbackHit>(
    db,
    `select 'callback' as kind, b.key, o.ordersn, ${merchantColumns}
       from callback b
       join merchant m on m.id = b.merchant_id
       left join recharge_order o on o.id = b.order_id
      where b.key = $2 and ${ofScope}`,
    [scope, key],
  )
}

/** Finds the transfers of a transaction: recorded, waiting for proof, or only seen. */
export function findTransfers(db: Queryable, scope: SearchScope, txid: string): Promise<TransferHit[]> {
  return readTransfers(
    db,
    `select t.id, null::bigint as proof_id, t.txid, t.log_index, t.deposit_address_id, t.amount, t.block_time, null as state
       from transfer t
      where t.txid = $2
      union all
     select null, case when $1::bigint is null then p.id end, p.txid, p.log_index, p.deposit_address_id, p.amount, p.block_time, 'held'
       from pending_proof p
      where p.txid = $2 and p.ended_at is null
      union all
     select null, null, v.txid, v.log_index, v.deposit_address_id, v.amount, v.block_time, 'seen'
       from seen_transfer v
       join chain_cursor s on v.block_height > s.height
      where v.txid = $2`,
    [scope, txid],
  )
}

/** Finds transfers of an amount among the newest that wait: an order that was paid is found by what it has received. */
export function findWaitingOfAmount(
  db: Queryable,
  scope: SearchScope,
  amount: UsdtUnits,
): Promise<TransferHit[]> {
  return readTransfers(
    db,
    `select t.*, null::bigint as proof_id, null as state
       from (select transfer_id from waiting_transfer order by transfer_id desc limit ${amountWaitingMax}) w
      cross join lateral (
        select id, txid, log_index, deposit_address_id, amount, block_time from transfer where id = w.transfer_id offset 0
      ) t
      where t.amount = $2`,
    [scope, amount],
  )
}

/** @param candidates transfers, with a state where they are not recorded yet. */
function readTransfers(db: Queryable, candidates: string, values: unknown[]): Promise<TransferHit[]> {
  // One row for each, by its id: the planner does not know how few candidates there are.
  return rows<TransferHit>(
    db,
    `select 'transfer' as kind, t.id as "transferId", t.proof_id as "proofId", t.txid, t.log_index as "logIndex", t.amount, t.block_time as "time", d.address, d.localusermark,
            x.ordersn, x.key as "depositKey", coalesce(t.state, x.state) as state, ${merchantColumns}
       from (${candidates}) t
      cross join lateral (
        select address, localusermark, merchant_id
          from deposit_address
         where id = t.deposit_address_id and ($1::bigint is null or (merchant_id = $1 and localusermark <> ''))
        offset 0
      ) d
       join merchant m on m.id = d.merchant_id
       left join lateral (
         select o.ordersn, b.key,
                case when c.deposit_address_id is not null then 'deposit'
                     when c.id is not null then 'credited'
                     when w.reason = 'unclaimed' then 'unclaimed'
                     when w.reason is not null then 'held'
                     when exists (select from settled_transfer where transfer_id = own.id) then 'settled_outside'
                     else 'rejected' end as state
           from (select t.id) own
           left join credit c on c.transfer_id = own.id
           left join recharge_order o on o.id = c.order_id
           left join callback b on b.credit_id = c.id and c.deposit_address_id is not null
           left join waiting_transfer w on w.transfer_id = own.id
         offset 0
       ) x on true
      order by t.block_time desc, t.txid, t.log_index
      limit ${limit}`,
    values,
  )
}

/** Finds logs of a transaction that could not be decoded. What was decoded is a transfer. */
export function findQuarantined(db: Queryable, txid: string): Promise<QuarantineHit[]> {
  return rows<QuarantineHit>(
    db,
    `select 'quarantine' as kind, id as "quarantineId", txid, log_index as "logIndex", reason
       from quarantine
      where txid = $1 and transfer_id is null
      order by log_index
      limit ${limit}`,
    [txid],
  )
}

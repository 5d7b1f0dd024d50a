import type { MerchantId } from '../../../base/ids.ts'
import { type UsdtUnits, usdt } from '../../../base/money.ts'
import { type WaitReason, waitReasons } from '../../../credits/pending-transfer.ts'
import { type Queryable, rows } from '../../../db/pool.ts'
import type { OrderState } from '../../../orders/order.ts'

/** Counts stop here: "more than 10 000". */
export const countMax = 10_000

/** Over how many days orders and exhausted callbacks are counted. */
export const recentDays = 7

/** What is owed to merchants. */
export interface OwedCallbacks {
  /** When the oldest one was due that is due now; null: none is. */
  oldestDueAt: Date | null
  /** Given up in the last days and not sent again; one more than `countMax` at most. */
  exhausted: number
  /** Endpoints that have failed so often that only single probes are sent, while something is due. */
  failing: number
}

/** Reads what is owed. By indexes alone: the first due row of each lane, and what was exhausted lately. */
export async function readOwed(db: Queryable, merchantId: MerchantId | null): Promise<OwedCallbacks> {
  const due =
    merchantId === null
      ? `select due_at from due_lane`
      : `select first.due_at
           from callback_lane l
          cross join lateral (select o.due_at
                                from callback_outbox o
                               where o.lane_id = l.id and o.state = 'due'
                               order by o.due_at
                               limit 1) first
          where l.merchant_id = $1`
  const of = merchantId === null ? '' : 'and merchant_id = $1'
  const [owed] = await rows<OwedCallbacks>(
    db,
    `select (select min(due_at) from (${due}) d where due_at <= now()) as "oldestDueAt",
            (select count(*)::integer
               from (select
                       from callback
                      where exhausted_at > now() - interval '${recentDays} days' ${of}
                      limit ${countMax + 1}) e) as exhausted,
            (select count(*)::integer
               from callback_lane l
              where opened_at is not null ${of}
                and exists (select from callback_outbox o where o.lane_id = l.id and o.state = 'due')) as failing`,
    scoped(merchantId),
  )
  return owed!
}

/** Transfers that are recorded and not credited. */
export type WaitingMoney = Record<WaitReason, { transfers: number; units: UsdtUnits }>

/** Sums up what waits, by reason. Every reason is in it. */
export async function readWaitingMoney(db: Queryable, merchantId: MerchantId | null): Promise<WaitingMoney> {
  const of = merchantId === null ? '' : 'where w.merchant_id = $1'
  const found = await rows<{ reason: WaitReason; transfers: bigint; units: UsdtUnits }>(
    db,
    `select w.reason, count(*) as transfers, sum(t.amount)::bigint as units
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
       ${of}
      group by w.reason`,
    scoped(merchantId),
  )
  return Object.fromEntries(
    waitReasons.map(reason => {
      const sum = found.find(one => one.reason === reason)
      return [reason, { transfers: Number(sum?.transfers ?? 0), units: sum?.units ?? usdt(0n) }]
    }),
  ) as WaitingMoney
}

/** Counts the orders that were created in the last days, by state. Each state has an index by merchant and time. */
export async function countOrders(
  db: Queryable,
  merchantId: MerchantId | null,
): Promise<Record<OrderState, number>> {
  const count = (condition: string) =>
    `(select count(*)
        from recharge_order o
       where o.merchant_id = m.id and o.created_at > now() - interval '${recentDays} days' and ${condition})`
  const [counts] = await rows<Record<OrderState, number>>(
    db,
    `select coalesce(sum(${count('received = 0')}), 0)::float8 as pending,
            coalesce(sum(${count('received > 0 and received < amount')}), 0)::float8 as underpaid,
            coalesce(sum(${count('received = amount')}), 0)::float8 as paid,
            coalesce(sum(${count('received > amount')}), 0)::float8 as overpaid
       from merchant m
      ${merchantId === null ? '' : 'where m.id = $1'}`,
    scoped(merchantId),
  )
  return counts!
}

/** How the last callbacks fared. */
export interface Deliveries {
  callbacks: number
  /** The oldest of them; null: there are none. */
  since: Date | null
  delivered: number
  /** Of those, at their first attempt. */
  atOnce: number
  exhausted: number
  /** From the credit to the acknowledgement, in milliseconds; null: none was delivered. */
  p50Ms: number | null
  p95Ms: number | null
}

/** So many are looked at: enough for a 95th percentile, and as few for a large gateway as for a small one. */
export const deliveriesMax = 1_000

/** Reads how the last callbacks fared, of those of the last days. */
export async function readDeliveries(db: Queryable, merchantId: MerchantId | null): Promise<Deliveries> {
  const last =
    merchantId === null
      ? 'order by id desc'
      : `where merchant_id = $1 and created_at > now() - interval '${recentDays} days' order by created_at desc`
  const took = (percent: number) =>
    `(percentile_cont(${percent / 100}) within group (order by extract(epoch from delivered_at - created_at)::float8)
       filter (where delivered_at is not null)) * 1000`
  const [read] = await rows<Deliveries>(
    db,
    `select count(*)::integer as callbacks, min(created_at) as since, count(delivered_at)::integer as delivered,
            (count(delivered_at) filter (where attempts = 1))::integer as "atOnce",
            count(exhausted_at)::integer as exhausted, ${took(50)} as "p50Ms", ${took(95)} as "p95Ms"
       from (select created_at, delivered_at, exhausted_at, attempts
               from callback
              ${last}
              limit ${deliveriesMax}) last
      where created_at > now() - interval '${recentDays} days'`,
    scoped(merchantId),
  )
  return read!
}

/** What only admins are told. */
export interface GatewayTroubles {
  /** Differences that a second source found. */
  discrepancies: number
  /** Logs that nobody could decode. */
  unreadLogs: number
  /** Changes of the USDT contract that nobody acknowledged. */
  contractEvents: number
}

export async function readGatewayTroubles(db: Queryable): Promise<GatewayTroubles> {
  const [troubles] = await rows<GatewayTroubles>(
    db,
    `select (select count(*)::integer from discrepancy where resolved_at is null and acknowledged_at is null) as discrepancies,
            (select count(*)::integer
               from quarantine
              where resolved_at is null and transfer_id is null) as "unreadLogs",
            (select count(*)::integer from contract_event where acknowledged_at is null) as "contractEvents"`,
  )
  return troubles!
}

/** Counts the people without a second factor: a merchant's, or all who may use the console. */
export async function countWithoutFactor(db: Queryable, merchantId: MerchantId | null): Promise<number> {
  const [found] = await rows<{ people: number }>(
    db,
    `select count(*)::integer as people
       from console_user u
      where password is not null and disabled_at is null and totp_since is null
        and not exists (select from passkey p where p.user_id = u.id)
        and ${
          merchantId === null
            ? '(u.admin or exists (select from membership s where s.user_id = u.id))'
            : 'exists (select from membership s where s.user_id = u.id and s.merchant_id = $1)'
        }`,
    scoped(merchantId),
  )
  return found!.people
}

function scoped(merchantId: MerchantId | null): unknown[] {
  return merchantId === null ? [] : [merchantId]
}

import type { Queryable } from '../db/pool.ts'
import type { CallbackFacts } from './callback-body.ts'

/** The right to send one callback, until it runs out or another epoch begins. */
export interface Lease {
  id: bigint
  epoch: number
}

/** A leased callback with all that its attempt needs. */
export interface LeasedCallback extends Lease {
  merchantId: bigint
  orderId: bigint
  /** Attempts made before this one, and how many of them belong to the schedule as it runs now. */
  attempts: number
  scheduleStep: number
  /** The order's own URL; without one the merchant's default is used, as it is when sending. */
  notifyUrl: string | null
  /** Its merchant has been disabled since it was leased. */
  disabled: boolean
  /** The database's time: the couriers' clocks may differ, this is one. */
  now: Date
  facts: CallbackFacts
}

/**
 * Makes sure of leases just before sending, and reads what is to be sent.
 * @param leaseMs how long a lease that has less than marginMs left lasts from now on. One that has more is left as it
 *   is: nobody else can take it before it runs out, and a row not written is a row not vacuumed.
 * @returns those still held, in no order; the others have gone to somebody else and must not be sent.
 */
export async function renewLeases(
  db: Queryable,
  leases: readonly Lease[],
  options: { leaseMs: number; marginMs: number },
): Promise<LeasedCallback[]> {
  const { rows } = await db.query({
    name: 'renew_leases',
    text: `
      with asked as (
        select * from unnest($1::bigint[], $2::integer[]) as a (id, epoch)
      ), renewed as (
        update callback c
           set leased_until = now() + $3 * interval '1 millisecond'
          from asked a
         where c.id = a.id and c.lease_epoch = a.epoch and c.state = 'in_flight'
           and c.leased_until > now() and c.leased_until < now() + $4 * interval '1 millisecond'
        returning c.id
      )
      select c.id, c.lease_epoch, c.merchant_id, c.order_id, c.attempts, c.schedule_step, c.key, c.body_amount,
             c.received, c.order_state, c.late, o.orderid, o.ordersn, o.localusermark, o.notify_url,
             o.amount as order_amount, t.txid, t.log_index, t.amount as transfer_amount,
             m.disabled_at is not null as disabled, clock_timestamp() as now
        from asked a
        join callback c on c.id = a.id and c.lease_epoch = a.epoch and c.state = 'in_flight'
        join recharge_order o on o.id = c.order_id
        join credit r on r.id = c.credit_id
        join transfer t on t.id = r.transfer_id
        join merchant m on m.id = c.merchant_id
       where c.leased_until >= now() + $4 * interval '1 millisecond' or c.id in (select id from renewed)`,
    values: [
      leases.map(lease => lease.id),
      leases.map(lease => lease.epoch),
      options.leaseMs,
      options.marginMs,
    ],
  })
  return rows.map(leasedCallback)
}

/** Gives leases back unsent: due as they were. Those that have passed to another epoch are left alone. */
export async function releaseLeases(db: Queryable, leases: readonly Lease[]): Promise<void> {
  if (leases.length === 0) return
  await db.query(
    `update callback c
        set state = 'due', leased_until = null
       from unnest($1::bigint[], $2::integer[]) as a (id, epoch)
      where c.id = a.id and c.lease_epoch = a.epoch and c.state = 'in_flight'`,
    [leases.map(lease => lease.id), leases.map(lease => lease.epoch)],
  )
}

/** How many callbacks of a lane or merchant change sides in one go, so that a hundred thousand lock nothing for long. */
const settleBatch = 1_000

/**
 * Holds what is due for disabled merchants (a lease that ran out counts as due), and makes due again what is held for
 * those enabled since: whoever changed the merchant, and whatever was written or under way at that moment. Waiting so
 * counts no attempt. Costs by the disabled merchants there are, not by the callbacks that wait for them or for others.
 */
export async function settleHeld(db: Queryable): Promise<void> {
  await db.query(
    `with disabled as materialized (
       select l.id as lane_id
         from merchant m
         join callback_lane l on l.merchant_id = m.id
        where m.disabled_at is not null
     )
     update callback
        set state = 'held'
      where id in (select c.id
                     from disabled d
                    cross join lateral (select id
                                          from callback
                                         where lane_id = d.lane_id and state = 'due'
                                         limit $1
                                           for no key update skip locked) c)`,
    [settleBatch],
  )
  await db.query(
    `update callback c
        set state = 'held', leased_until = null
       from merchant m
      where m.id = c.merchant_id and m.disabled_at is not null
        and c.state = 'in_flight' and c.leased_until <= now()`,
  )
  await db.query(
    `with recursive holding (merchant_id) as (
       (select merchant_id from callback where state = 'held' order by merchant_id limit 1)
       union all
       select (select c.merchant_id from callback c where c.state = 'held' and c.merchant_id > h.merchant_id
                order by c.merchant_id limit 1)
         from holding h
        where h.merchant_id is not null
     ), enabled as materialized (
       select m.id as merchant_id
         from merchant m
        where m.id in (select merchant_id from holding) and m.disabled_at is null
     )
     update callback
        set state = 'due'
      where id in (select c.id
                     from enabled e
                    cross join lateral (select id
                                          from callback
                                         where merchant_id = e.merchant_id and state = 'held'
                                         limit $1
                                           for no key update skip locked) c)`,
    [settleBatch],
  )
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the query above names it.
function leasedCallback(row: any): LeasedCallback {
  return {
    id: row.id,
    epoch: row.lease_epoch,
    merchantId: row.merchant_id,
    orderId: row.order_id,
    attempts: row.attempts,
    scheduleStep: row.schedule_step,
    notifyUrl: row.notify_url,
    disabled: row.disabled,
    now: row.now,
    facts: {
      key: row.key,
      orderid: row.orderid,
      ordersn: row.ordersn,
      localusermark: row.localusermark,
      bodyAmount: row.body_amount,
      txid: row.txid,
      logIndex: row.log_index,
      transferAmount: row.transfer_amount,
      received: row.received,
      orderAmount: row.order_amount,
      orderState: row.order_state,
      late: row.late,
    },
  }
}

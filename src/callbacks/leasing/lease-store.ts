import type { Queryable } from '../../db/pool.ts'
import type { Lease, LeasedCallback } from '../outbox/lease.ts'
import { type CircuitTuning, defaultCircuit } from './circuit.ts'

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
    // That they are in flight follows from leased_until. Saying so would have the planner, who believes that hardly any are,
    // hold each of these against each of those.
    text: `
      with asked as (
        select * from unnest($1::bigint[], $2::bigint[]) as a (id, epoch)
      ), renewed as (
        update callback_outbox b
           set leased_until = now() + $3 * interval '1 millisecond'
          from asked a
         where b.callback_id = a.id and b.lease_epoch = a.epoch
           and b.leased_until > now() and b.leased_until < now() + $4 * interval '1 millisecond'
        returning b.callback_id
      )
      select b.lease_epoch, b.schedule_step, extract(epoch from clock_timestamp()) * 1000 as now_ms, f.*
        from asked a
        join callback_outbox b on b.callback_id = a.id and b.lease_epoch = a.epoch
        join callback_facts f on f.id = a.id
       where b.leased_until >= now() + $4 * interval '1 millisecond'
          or b.callback_id in (select callback_id from renewed)`,
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
    `update callback_outbox b
        set state = 'due', leased_until = null
       from unnest($1::bigint[], $2::bigint[]) as a (id, epoch)
      where b.callback_id = a.id and b.lease_epoch = a.epoch and b.state = 'in_flight'`,
    [leases.map(lease => lease.id), leases.map(lease => lease.epoch)],
  )
}

/** How many leases that ran out are ended in one go. */
const lapsedBatch = 1_000

/** Makes callbacks due again whose lease ran out: whoever had it is gone, or comes too late. */
export async function endLapsedLeases(db: Queryable): Promise<void> {
  await db.query(
    `update callback_outbox
        set state = 'due', leased_until = null
      where callback_id = any(array(select callback_id
                                      from callback_outbox
                                     where state = 'in_flight' and leased_until <= now()
                                     limit $1
                                       for update skip locked))`,
    [lapsedBatch],
  )
}

/** Reads a row of callback_facts with its lease_epoch, its schedule_step and the database's time. */
// biome-ignore lint/suspicious/noExplicitAny: as the view names its columns.
export function leasedCallback(row: any): LeasedCallback {
  return {
    id: row.id,
    epoch: row.lease_epoch,
    merchantId: row.merchant_id,
    orderId: row.order_id,
    attempts: row.attempts,
    scheduleStep: row.schedule_step,
    notifyUrl: row.notify_url,
    disabled: row.disabled,
    now: new Date(Number(row.now_ms)),
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

/**
 * Leases callbacks that are due, fairly: the least recently served lane first, a turn for each lane before anyone's
 * second, and no lane above its cap; one whose circuit is open is given a probe when the time for it has come. Disabled
 * merchants are passed over. Several couriers may do it at once: they take different lanes.
 * @param slots how many at the most: as many as the courier can send now.
 * @returns what was leased, with all that is needed to send it.
 * @see prisma/migrations/0007_lease for the function, which locks the lanes it serves and then takes.
 */
export async function leaseCallbacks(
  db: Queryable,
  slots: number,
  leaseMs: number,
  probing: Pick<CircuitTuning, 'probeFirstMs' | 'probeMaxMs'> = defaultCircuit,
): Promise<LeasedCallback[]> {
  if (slots <= 0) return []
  const { rows } = await db.query({
    name: 'lease_callbacks',
    text: `
      select l.lease_epoch, l.schedule_step, l.now_ms, (l.facts).*
        from lease_callbacks($1, $2 * interval '1 millisecond', $3 * interval '1 millisecond',
                             $4 * interval '1 millisecond') l`,
    values: [slots, leaseMs, probing.probeFirstMs, probing.probeMaxMs],
  })
  return rows.map(leasedCallback)
}

import type { CallbackId, MerchantId } from '../../base/ids.ts'
import type { LegacyUnits, UsdtUnits } from '../../base/money.ts'
import { type Queryable, rows, run } from '../../db/pool.ts'
import type { CallbackFacts } from '../outbox/callback.ts'
import { depositFacts } from '../outbox/deposit.ts'
import type { Lease, LeasedCallback } from '../outbox/lease.ts'
import { type CircuitTuning, defaultCircuit } from './circuit.ts'

/**
 * Renews leases just before sending, and reads what is to be sent.
 * @param options a lease with less than marginMs left lasts leaseMs from now on. One with more is not written: it cannot be
 *   taken before it runs out, and each write leaves a row to vacuum.
 * @returns those still held, in no order. The others have passed to another epoch and must not be sent.
 */
export async function renewLeases(
  db: Queryable,
  leases: readonly Lease[],
  options: { leaseMs: number; marginMs: number },
): Promise<LeasedCallback[]> {
  const held = await rows<LeasedRow>(db, {
    name: 'renew_leases',
    // Do not filter on state here, which leased_until implies: Postgres underestimates how many rows are in flight, and picks
    // a nested loop.
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
  return held.map(leasedCallback)
}

/** Releases leases unsent: their callbacks are due as before. Leases that have passed to another epoch stay as they are. */
export async function releaseLeases(db: Queryable, leases: readonly Lease[]): Promise<void> {
  if (leases.length === 0) return
  await run(
    db,
    `update callback_outbox b
        set state = 'due', leased_until = null
       from unnest($1::bigint[], $2::bigint[]) as a (id, epoch)
      where b.callback_id = a.id and b.lease_epoch = a.epoch and b.state = 'in_flight'`,
    [leases.map(lease => lease.id), leases.map(lease => lease.epoch)],
  )
}

/** The most lapsed leases ended by one statement. */
const lapsedBatch = 1_000

/** Makes callbacks due again whose lease has run out. If its courier still sends one, its result comes too late to count. */
export async function endLapsedLeases(db: Queryable): Promise<void> {
  await run(
    db,
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

/** A row of callback_facts with its lease and the database's time. */
type LeasedRow = LeaseColumns & (CreditColumns | DepositColumns)

interface LeaseColumns {
  id: CallbackId
  lease_epoch: bigint
  merchant_id: MerchantId
  attempts: number
  schedule_step: number
  notify_url: string | null
  disabled: boolean
  now_ms: string
  key: string
  localusermark: string
  body_amount: LegacyUnits
  txid: string
  log_index: number
  transfer_amount: UsdtUnits
}

interface CreditColumns {
  deposit_address: null
  orderid: string
  ordersn: string
  received: UsdtUnits
  order_amount: UsdtUnits
  order_state: CallbackFacts['orderState']
  late: boolean
}

interface DepositColumns {
  deposit_address: string
}

function leasedCallback(row: LeasedRow): LeasedCallback {
  return {
    id: row.id,
    epoch: row.lease_epoch,
    merchantId: row.merchant_id,
    attempts: row.attempts,
    scheduleStep: row.schedule_step,
    notifyUrl: row.notify_url,
    disabled: row.disabled,
    now: new Date(Number(row.now_ms)),
    facts: factsOf(row),
  }
}

function factsOf(row: LeasedRow): LeasedCallback['facts'] {
  const said = {
    key: row.key,
    localusermark: row.localusermark,
    bodyAmount: row.body_amount,
    txid: row.txid,
    logIndex: row.log_index,
    transferAmount: row.transfer_amount,
  }
  if (row.deposit_address !== null) return depositFacts({ ...said, address: row.deposit_address })
  return {
    ...said,
    orderid: row.orderid,
    ordersn: row.ordersn,
    received: row.received,
    orderAmount: row.order_amount,
    orderState: row.order_state,
    late: row.late,
  }
}

/**
 * Leases due callbacks, fairly. Merchants that hold the fewest leases come first, and none takes more than its share, as
 * `mayTakeOneMore` says. The lanes of a merchant take turns, the least recently served first, and none passes its cap. A lane
 * whose circuit is open gets one probe when its time has come. Callbacks of disabled merchants are not leased. Several
 * couriers may lease at once: they serve different lanes.
 * @param slots the most to lease: as many as the courier can take now.
 * @param held how many leases the courier holds of each merchant. Without it, merchants take turns and have no share.
 * @returns what was leased, with everything needed to send it.
 * @see prisma/routines/lease_callbacks.sql
 */
export async function leaseCallbacks(
  db: Queryable,
  slots: number,
  leaseMs: number,
  probing: Pick<CircuitTuning, 'probeFirstMs' | 'probeMaxMs'> = defaultCircuit,
  held: ReadonlyMap<MerchantId, number> | null = null,
): Promise<LeasedCallback[]> {
  if (slots <= 0) return []
  const leased = await rows<LeasedRow>(db, {
    name: 'lease_callbacks',
    text: `
      select l.lease_epoch, l.schedule_step, l.now_ms, (l.facts).*
        from lease_callbacks($1, $2 * interval '1 millisecond', $3 * interval '1 millisecond',
                             $4 * interval '1 millisecond', $5::bigint[], $6::integer[]) l`,
    values: [
      slots,
      leaseMs,
      probing.probeFirstMs,
      probing.probeMaxMs,
      held && [...held.keys()],
      held && [...held.values()],
    ],
  })
  return leased.map(leasedCallback)
}

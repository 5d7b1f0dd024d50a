import { thisMoment } from '../../base/clock.ts'
import { failpoint } from '../../base/failpoint.ts'
import type { MerchantId } from '../../base/ids.ts'
import type { Logger } from '../../base/log.ts'
import type { Pool } from '../../db/pool.ts'
import type { CallbackQueue } from '../queue/callback-queue.ts'
import { mayTakeMore, mayTakeOneMore } from '../queue/merchant-share.ts'
import { divideIntoJobs, jobSize } from '../queue/queued-job.ts'
import type { Slots } from '../queue/slots.ts'
import { type CourierTuning, handedMax } from './courier-tuning.ts'
import type { Doorbell } from './doorbell.ts'
import type { InHand } from './in-hand.ts'
import { endLapsedLeases, leaseCallbacks, releaseLeases } from './lease-store.ts'
import { settleHeld } from './pause-store.ts'
import { rerouteCallbacks } from './reroute-store.ts'
import { openConsumerWatch } from './watch-consumer.ts'

export interface Leasing {
  /** Whether the last round succeeded: the database and the queue were reached, took what they were given, and hand it out. */
  isWorking(): boolean
  /** Leases no more, releases what has not begun, and waits for what has until its deadline. */
  stop(): Promise<void>
}

interface LeasingOptions {
  pool: Pool
  queue: CallbackQueue
  inHand: InHand
  slots: Slots
  /** Wakes the loop: something is due, or a slot is free. */
  bell: Doorbell
  log: Logger
  tuning: CourierTuning
}

/** A round that takes longer waits for a server that does not answer. */
const roundMaxMs = 5_000

/** How often lapsed leases, disabled and enabled merchants, and changed URLs are looked for. */
const settleEveryMs = 1_000

/**
 * How often more is leased while enough waits to be begun: leasing many at once costs less for each. It delays what falls due
 * meanwhile by no more than that.
 */
const leaseEveryMs = 25

/**
 * How often more is leased after a round that found less than a job holds: where lanes are at their limit, each answer makes room for
 * one more, and one at a time costs the queue more than its server has. It delays what falls due meanwhile by no more than that.
 */
const leaseFewEveryMs = 10

/** Leases due callbacks for the free slots and enqueues them, until it is stopped. */
export function startLeasing(options: LeasingOptions): Leasing {
  const { queue, inHand, slots, bell } = options
  let working = false
  let reportedAt = performance.now()
  const loop = leaseWhileOpen(options, isWorking => {
    working = isWorking
    reportedAt = performance.now()
  })
  return {
    isWorking: () => working && performance.now() - reportedAt < roundMaxMs,
    stop: async () => {
      inHand.close()
      bell.ring()
      queue.pause()
      // What waits for a slot is released at once.
      slots.open()
      await loop
      await withdrawUnbegun(options)
      await finishBegun(options)
    },
  }
}

/** Tries again at the next ring or poll after a failure. @param report whether a round succeeded. */
async function leaseWhileOpen(options: LeasingOptions, report: (working: boolean) => void): Promise<void> {
  const { pool, queue, inHand, slots, bell, log, tuning } = options
  let settledAt = Number.NEGATIVE_INFINITY
  let leasedAt = Number.NEGATIVE_INFINITY
  let found = 0
  let failing = false
  const beginsJobs = openConsumerWatch(options)
  let begins = true
  while (!inHand.closed) {
    try {
      if (performance.now() - settledAt > settleEveryMs) {
        settledAt = performance.now()
        await endLapsedLeases(pool)
        await settleHeld(pool)
        await rerouteCallbacks(pool)
        failpoint('courier:after-settle')
        if (queue.isReady()) {
          await recoverLost(options)
          begins = await beginsJobs()
        }
      }
      const ready = queue.isReady()
      // So much waits to be sent that the slots stay full over the next round trip.
      const isFull = inHand.waiting + slots.waiting > tuning.slots / 4
      const isFew = found > 0 && found < jobSize(tuning.slots)
      const everyMs = isFull ? leaseEveryMs : isFew ? leaseFewEveryMs : 0
      await pause(leasedAt + everyMs - performance.now())
      leasedAt = performance.now()
      found = ready ? await leaseOnce(options) : 0
      if (failing) log.info('courier.leasing_again')
      failing = false
      report(ready && begins)
      if (found > 0) continue
    } catch (err) {
      // Logged once, however long the outage.
      if (!failing) log.warn({ err }, 'courier.leasing_failed')
      failing = true
      report(false)
    }
    await bell.wait(tuning.pollMs)
  }
}

async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise(resolve => setTimeout(resolve, ms))
}

/** Leases callbacks and enqueues them. @returns how many. */
async function leaseOnce(options: LeasingOptions): Promise<number> {
  const { pool, queue, inHand, tuning } = options
  const askedAt = thisMoment()
  const free = await freeLeases(options)
  const held = heldByMerchants(options, free)
  const leases = await leaseCallbacks(pool, free, tuning.leaseMs, tuning.circuit, held)
  if (leases.length === 0) return 0
  failpoint('courier:after-lease')
  const jobs = divideIntoJobs(leases, jobSize(tuning.slots))
  for (const job of jobs) inHand.take(job, askedAt)
  try {
    await queue.add(jobs)
  } catch (error) {
    // The queue may have taken some all the same. Those that have begun here are being sent, and are not released.
    await releaseLeases(pool, inHand.giveUp(jobs.map(job => job.id)))
    throw error
  }
  failpoint('courier:after-enqueue')
  return leases.length
}

/**
 * Computes how many more leases this courier may take. A lease counts until it ends, or until another courier has begun it.
 * When what waits in the queue leaves no room, or none for one of its merchants, the queue is asked how much still does.
 */
async function freeLeases({ queue, inHand, tuning }: LeasingOptions): Promise<number> {
  const free = handedMax(tuning) - inHand.size - inHand.waiting
  const suffices = inHand.waiting === 0 || (free > 0 && mayAllTakeMore(inHand, free))
  if (suffices) return free
  const jobs = await queue.waiting()
  // Read afterwards: what has begun meanwhile waits no more, and would count as neither.
  return handedMax(tuning) - inHand.size - inHand.countWaiting(jobs)
}

/**
 * Counts what each merchant holds, for the leasing. A merchant whose leases wait for its slots gets no more until there is room
 * for a whole job of them: one as each ends would fill the queue with jobs of one lease, before those of other merchants.
 */
function heldByMerchants({ inHand, slots }: LeasingOptions, free: number): Map<MerchantId, number> {
  const counts = inHand.byMerchant()
  for (const [merchantId, held] of counts) {
    const waits = slots.waitingOf(merchantId) > 0 && mayTakeMore(held, free) < jobSize(slots.count)
    // Whoever holds three times what is free has its whole share.
    if (waits) counts.set(merchantId, Math.max(held, 3 * free))
  }
  return counts
}

function mayAllTakeMore(inHand: InHand, free: number): boolean {
  return [...inHand.byMerchant().values()].every(held => mayTakeOneMore(held, free))
}

/** Releases leases whose jobs the queue has lost. A flushed Redis then delays them by seconds, not by the length of a lease. */
async function recoverLost({ pool, queue, inHand, tuning }: LeasingOptions): Promise<void> {
  const old = inHand.oldUnbegun(tuning.lostAfterMs)
  if (old.length > 0) await releaseLeases(pool, inHand.giveUp(await queue.missing(old)))
}

/** Releases what has not begun, so that other couriers need not wait until its leases run out. */
async function withdrawUnbegun({ pool, queue, inHand, log }: LeasingOptions): Promise<void> {
  const unbegun = inHand.oldUnbegun(0)
  const leases = inHand.waiting
  try {
    const withdrawn = queue.isReady() ? await queue.withdraw(unbegun) : unbegun
    await releaseLeases(pool, inHand.giveUp(withdrawn))
  } catch (err) {
    log.warn({ err, leases }, 'courier.leases_left_to_lapse')
  }
}

/** Waits until what has begun is sent and recorded, or has passed its deadline. */
async function finishBegun({ inHand, bell, tuning }: LeasingOptions): Promise<void> {
  const end = performance.now() + tuning.deadlineMs + 1_000
  while (inHand.size > 0 && performance.now() < end) await bell.wait(100)
}

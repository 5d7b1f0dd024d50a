import { thisMoment } from '../../base/clock.ts'
import { failpoint } from '../../base/failpoint.ts'
import type { Logger } from '../../base/log.ts'
import type { Pool } from '../../db/pool.ts'
import { type Lease, leaseKey } from '../outbox/lease.ts'
import type { CallbackQueue } from '../queue/callback-queue.ts'
import type { CourierTuning } from './courier-tuning.ts'
import type { Doorbell } from './doorbell.ts'
import { endLapsedLeases, leaseCallbacks, releaseLeases } from './lease-store.ts'
import type { OwnLease } from './own-lease.ts'
import { settleHeld } from './pause-store.ts'
import { rerouteCallbacks } from './reroute-store.ts'

/** A courier's work in hand, and what it leases more with. */
export interface Leasing {
  pool: Pool
  queue: CallbackQueue
  bell: Doorbell
  log: Logger
  tuning: CourierTuning
  /** Ids of the jobs this courier is working on. */
  active: ReadonlySet<string>
  /** Leases this courier enqueued and has not begun: it answers for them. */
  enqueued: Map<string, OwnLease>
  /** How many of these other couriers have begun, as far as known; looked at when room is short. */
  begunElsewhere: number
  stopping: boolean
  /** Whether the last look at what is due went well: database and queue were there, and took what they were given. */
  working: boolean
}

/** How often is looked at leases that ran out, at merchants disabled and enabled, and at URLs that changed. */
const settleEveryMs = 1_000

/**
 * How often more is leased while there is enough to begin: what is leased together costs less. What falls due meanwhile
 * waits no longer than that.
 */
const leaseEveryMs = 25

/**
 * Leases what is due for as many slots as are free, and enqueues it, until told to stop. What goes wrong is tried again
 * at the next ring or poll.
 */
export async function leaseWhileOpen(leasing: Leasing): Promise<void> {
  let settledAt = Number.NEGATIVE_INFINITY
  let leasedAt = Number.NEGATIVE_INFINITY
  let failing = false
  while (!leasing.stopping) {
    try {
      if (performance.now() - settledAt > settleEveryMs) {
        settledAt = performance.now()
        await endLapsedLeases(leasing.pool)
        await settleHeld(leasing.pool)
        await rerouteCallbacks(leasing.pool)
        failpoint('courier:after-settle')
        if (leasing.queue.isReady()) await recoverLost(leasing)
      }
      const ready = leasing.queue.isReady()
      if (hasEnough(leasing)) await pause(leasedAt + leaseEveryMs - performance.now())
      leasedAt = performance.now()
      const found = ready ? await leaseOnce(leasing) : 0
      if (failing) leasing.log.info('courier.leasing_again')
      failing = false
      leasing.working = ready
      if (found > 0) continue
    } catch (error) {
      // Said once: the log is not to fill while a server is away.
      if (!failing) leasing.log.warn({ error: (error as Error).message }, 'courier.leasing_failed')
      failing = true
      leasing.working = false
    }
    await leasing.bell.wait(leasing.tuning.pollMs)
  }
}

/** Whether so much is waiting to be begun that the slots will not run empty over another lease. */
function hasEnough({ enqueued, begunElsewhere, tuning }: Leasing): boolean {
  return enqueued.size - begunElsewhere > tuning.slots / 4
}

async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise(resolve => setTimeout(resolve, ms))
}

/** @returns how many were leased and enqueued. */
async function leaseOnce(leasing: Leasing): Promise<number> {
  const { pool, tuning } = leasing
  const askedAt = thisMoment()
  const leases = await leaseCallbacks(pool, await freeSlots(leasing), tuning.leaseMs, tuning.circuit)
  if (leases.length === 0) return 0
  failpoint('courier:after-lease')
  const readAtMs = performance.now()
  for (const callback of leases)
    leasing.enqueued.set(leaseKey(callback), { callback, askedAt, readAtMs, givenBack: false })
  try {
    await leasing.queue.add(leases)
  } catch (error) {
    // Some may have been taken all the same, and begun here: those are not given back under the sender's hands.
    await giveBack(
      leasing,
      leases.filter(lease => leasing.enqueued.has(leaseKey(lease))),
    )
    throw error
  }
  failpoint('courier:after-enqueue')
  return leases.length
}

/**
 * How many more this courier may lease. What it enqueued counts until it is begun; when that leaves no room, the queue
 * is asked how much of it other couriers have begun meanwhile.
 */
async function freeSlots(leasing: Leasing): Promise<number> {
  const { slots, aheadMax } = leasing.tuning
  const room = slots + aheadMax - leasing.active.size
  const free = room - (leasing.enqueued.size - leasing.begunElsewhere)
  if (free > 0) return free
  const waiting = await leasing.queue.waiting()
  leasing.begunElsewhere = Math.max(0, leasing.enqueued.size - waiting)
  return room - waiting
}

/**
 * Gives back leases whose jobs the queue has lost, so that a flushed Redis costs seconds and not the length of a
 * lease. A job begun elsewhere is no concern of this courier any more.
 */
async function recoverLost(leasing: Leasing): Promise<void> {
  const before = performance.now() - leasing.tuning.lostAfterMs
  const old = [...leasing.enqueued.values()].filter(own => own.readAtMs < before).map(own => own.callback)
  if (old.length === 0) return
  await giveBack(leasing, await leasing.queue.missing(old))
  leasing.begunElsewhere = 0
}

/** Makes leases due again that nobody has begun; a job that turns up later finds its lease gone. */
async function giveBack(leasing: Leasing, leases: readonly Lease[]): Promise<void> {
  for (const lease of leases) {
    const own = leasing.enqueued.get(leaseKey(lease))
    if (own) own.givenBack = true
  }
  await releaseLeases(leasing.pool, leases)
  for (const lease of leases) leasing.enqueued.delete(leaseKey(lease))
}

/** Waits for what is being sent and recorded, at the longest for as long as given. */
export async function finishInHand(leasing: Leasing, atMostMs: number): Promise<void> {
  const end = performance.now() + atMostMs
  while (leasing.active.size > 0 && performance.now() < end) await leasing.bell.wait(100)
}

/** What was enqueued and not begun goes back, so that another courier has it now and not when its lease runs out. */
export async function withdrawUnsent(leasing: Leasing): Promise<void> {
  const unsent = [...leasing.enqueued.values()].map(own => own.callback)
  try {
    await giveBack(leasing, leasing.queue.isReady() ? await leasing.queue.withdraw(unsent) : unsent)
  } catch (error) {
    leasing.log.warn(
      { error: (error as Error).message, leases: unsent.length },
      'courier.leases_left_to_lapse',
    )
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent } from 'undici'
import type { MerchantId } from '../../base/ids.ts'
import type { Logger } from '../../base/log.ts'
import { Counter, type Registry } from '../../base/metrics.ts'
import type { Pool } from '../../db/pool.ts'
import type { MerchantDirectory } from '../../merchants/merchant-directory.ts'
import {
  type LeasedEvent,
  leaseEvents,
  type RestingOrigin,
  recordEvent,
} from '../leasing/event-lease-store.ts'
import { deleteOldEvents, dropOldEvents } from '../outbox/event-store.ts'
import { attemptCallback } from './attempt-callback.ts'
import { decideRetry } from './retry-schedule.ts'
import type { SendOutcome } from './send-callback.ts'

/** What sending events may use of a courier, and when it rests. Tests shorten the times. */
export interface EventTuning {
  /** The most events sent at once, and of those the most of one merchant and of one origin of it, at all couriers together. */
  slots: number
  perMerchant: number
  perOrigin: number
  /** How long an attempt may take. */
  deadlineMs: number
  /** How often due events are looked for when there were none, and at most. */
  pollMs: number
  pauseMs: number
  /** How long an origin of a merchant rests after it failed; twice as long each time, up to the longest. */
  restMs: number
  restMaxMs: number
}

export const defaultEventTuning: EventTuning = {
  // Callbacks have 512.
  slots: 16,
  perMerchant: 4,
  perOrigin: 2,
  deadlineMs: 5_000,
  pollMs: 1_000,
  pauseMs: 50,
  restMs: 1_000,
  restMaxMs: 60_000,
}

/** Orders name their own URLs, so there may be any number of origins. Those that failed first are forgotten. */
const restingMax = 1_000

/** Of an event: at 0, 5 s, 30 s, 2 min and 10 min. */
const attemptsMax = 5
/** Old events are dropped and deleted so often, and so many batches at a time. */
const cleanEveryMs = 60_000
const cleanRoundsMax = 20

interface EventSending {
  pool: Pool
  merchants: MerchantDirectory
  agent: Agent
  allowedNetworks: readonly string[]
  tuning: EventTuning
  log: Logger
  attempts: Counter<'event' | 'outcome'>
  /** Origins that failed, by merchant and origin: how often in a row, and until when they rest by the steady clock. */
  resting: Map<string, { merchantId: MerchantId; origin: string; failures: number; untilMs: number }>
}

/**
 * Sends due events until the signal aborts, then waits for those under way. They have slots of their own, and use none of
 * the callbacks'. A failure of the database is logged once, and it goes on at the next poll.
 */
export async function sendEvents(options: {
  pool: Pool
  merchants: MerchantDirectory
  agent: Agent
  allowedNetworks: readonly string[]
  tuning?: Partial<EventTuning> | undefined
  log: Logger
  registry?: Registry | undefined
  signal: AbortSignal
}): Promise<void> {
  const { log, signal } = options
  const sending: EventSending = {
    ...options,
    tuning: { ...defaultEventTuning, ...options.tuning },
    attempts: countAttempts(options.registry),
    resting: new Map(),
  }
  const underWay = new Set<Promise<void>>()
  let cleanedAt = Number.NEGATIVE_INFINITY
  let failing = false
  while (!signal.aborted) {
    try {
      await startDue(sending, underWay)
      if (performance.now() - cleanedAt > cleanEveryMs) {
        // Before it has succeeded: one that fails is not tried again at every poll.
        cleanedAt = performance.now()
        await cleanEvents(options.pool, signal)
      }
      failing = false
    } catch (err) {
      if (!failing) log.warn({ err }, 'events.failing')
      failing = true
    }
    await pause(sending.tuning, underWay, signal)
  }
  await Promise.all(underWay)
}

async function startDue(sending: EventSending, underWay: Set<Promise<void>>): Promise<void> {
  const limits = { ...sending.tuning, slots: sending.tuning.slots - underWay.size }
  for (const event of await leaseEvents(sending.pool, limits, restingNow(sending))) {
    const sent = sendEvent(sending, event)
      // It is leased again when its lease has run out.
      .catch(err => sending.log.warn({ err, eventId: event.key }, 'event.not_recorded'))
      .finally(() => underWay.delete(sent))
    underWay.add(sent)
  }
}

/** Waits for the poll, or until one under way has ended. */
async function pause(tuning: EventTuning, underWay: Set<Promise<void>>, signal: AbortSignal): Promise<void> {
  const sleeping = new AbortController()
  const slept = sleep(tuning.pollMs, undefined, { signal: AbortSignal.any([signal, sleeping.signal]) })
  await Promise.race([slept.catch(() => undefined), ...underWay])
  sleeping.abort()
  await sleep(tuning.pauseMs)
}

async function cleanEvents(pool: Pool, signal: AbortSignal): Promise<void> {
  for (const clean of [dropOldEvents, deleteOldEvents]) {
    for (let round = 0; round < cleanRoundsMax && !signal.aborted && (await clean(pool)) > 0; round++);
  }
}

async function sendEvent(sending: EventSending, event: LeasedEvent): Promise<void> {
  const { key, fields, notifyUrl, now, attempts } = event
  const merchant = sending.merchants.byId(event.merchantId)
  const { agent, allowedNetworks } = sending
  const { outcome } = await attemptCallback({ notifyUrl, facts: { key, fields }, now }, merchant, {
    agent,
    allowedNetworks,
    deadlineMs: sending.tuning.deadlineMs,
  })
  noteEndpoint(sending, event, outcome)
  const status = outcome.status ?? null
  const label = outcome.kind === 'failed' ? outcome.failure : outcome.kind
  await recordEvent(sending.pool, {
    id: event.id,
    attempts,
    outcome: label,
    status,
    next: nextOf(event, outcome),
  })
  sending.attempts.inc({ event: event.event, outcome: label })
  const { durationMs } = outcome
  sending.log.info(
    { eventId: key, event: event.event, attempt: attempts, status, durationMs, outcome: label },
    'event.attempted',
  )
}

function nextOf({ attempts }: LeasedEvent, outcome: SendOutcome) {
  if (outcome.kind === 'acknowledged') return { kind: 'delivered' as const }
  const decided = attempts < attemptsMax ? decideRetry(attempts - 1, outcome) : null
  return decided?.kind === 'retry' ? decided : { kind: 'dropped' as const }
}

/** Lets an origin rest that gives no answer, 5xx or 429, so that it does not use up the slots. */
function noteEndpoint(
  { resting, tuning }: EventSending,
  { merchantId, origin }: LeasedEvent,
  { status }: SendOutcome,
): void {
  const key = `${merchantId} ${origin}`
  const answers = status !== undefined && status < 500 && status !== 429
  const failures = (resting.get(key)?.failures ?? 0) + 1
  // The one that failed last comes last.
  resting.delete(key)
  if (answers) return
  const restMs = Math.min(tuning.restMaxMs, tuning.restMs * 2 ** Math.min(failures - 1, 20))
  resting.set(key, { merchantId, origin, failures, untilMs: performance.now() + restMs })
  if (resting.size > restingMax) resting.delete(resting.keys().next().value!)
}

function restingNow({ resting }: EventSending): RestingOrigin[] {
  const now = performance.now()
  return [...resting.values()]
    .map(({ merchantId, origin, untilMs }) => ({ merchantId, origin, restMs: untilMs - now }))
    .filter(({ restMs }) => restMs > 0)
}

function countAttempts(registry: Registry | undefined): Counter<'event' | 'outcome'> {
  return new Counter({
    name: 'gateway_event_attempts_total',
    help: 'Attempts to deliver an event, by event and outcome (acknowledged, refused, or the kind of failure).',
    labelNames: ['event', 'outcome'],
    registers: registry ? [registry] : [],
  })
}

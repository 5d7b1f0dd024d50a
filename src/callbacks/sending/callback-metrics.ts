import { Counter, Gauge, Histogram, type Registry } from '../../base/metrics.ts'
import type { Queryable } from '../../db/pool.ts'

export interface CallbackMetrics {
  attempts: Counter<'outcome'>
  exhausted: Counter
  seconds: Histogram
}

/**
 * Defines the courier's metrics. What is due is counted in the database when it is asked for: it is the same for all
 * couriers, and what none of them has taken up counts too.
 * @param registry where they are found; without one they are counted for nobody.
 */
export function createCallbackMetrics(registry: Registry | undefined, db: Queryable): CallbackMetrics {
  const registers = registry ? [registry] : []
  new Gauge({
    name: 'gateway_callbacks',
    help: 'Callbacks not delivered yet, by state: due, in_flight, held. Those given up have a counter.',
    labelNames: ['state'],
    registers,
    async collect() {
      for (const [state, count] of Object.entries(await countOpen(db))) this.set({ state }, count)
    },
  })
  new Gauge({
    name: 'gateway_callback_oldest_due_seconds',
    help: 'How long the oldest callback that could be sent has been waiting; circuit="open": what waits behind open ones.',
    labelNames: ['circuit'],
    registers,
    async collect() {
      const { closed, open } = await oldestDueSeconds(db)
      this.set({ circuit: 'closed' }, closed)
      this.set({ circuit: 'open' }, open)
    },
  })
  new Gauge({
    name: 'gateway_callback_circuits_open',
    help: 'Merchants and origins that get single probes only, since their endpoints fail.',
    registers,
    async collect() {
      this.set(await countOpenCircuits(db))
    },
  })
  return {
    attempts: new Counter({
      name: 'gateway_callback_attempts_total',
      help: 'Attempts to deliver a callback, by outcome (acknowledged, refused, or the kind of failure).',
      labelNames: ['outcome'],
      registers,
    }),
    exhausted: new Counter({
      name: 'gateway_callbacks_exhausted_total',
      help: 'Callbacks given up: all their attempts were made, or the endpoint answered 410.',
      registers,
    }),
    seconds: new Histogram({
      name: 'gateway_callback_attempt_seconds',
      help: 'How long an attempt took, from the DNS question to the last byte of the answer.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
  }
}

/** Unknown, when the database cannot be asked: the other metrics are wanted all the more then. */
const unknown = Number.NaN

async function countOpen(db: Queryable): Promise<Record<'due' | 'in_flight' | 'held', number>> {
  try {
    const { rows } = await db.query(
      `select (select count(*) from callback_outbox where state = 'due')::float8 as due,
              (select count(*) from callback_outbox where state = 'in_flight')::float8 as in_flight,
              (select count(*) from callback_outbox where state = 'held')::float8 as held`,
    )
    return rows[0]
  } catch {
    return { due: unknown, in_flight: unknown, held: unknown }
  }
}

/** By the first due row of each lane: a scrape costs no more when a hundred thousand wait. */
async function oldestDueSeconds(db: Queryable): Promise<{ closed: number; open: number }> {
  try {
    const { rows } = await db.query(
      `select coalesce(extract(epoch from now() - min(w.due_at) filter (where l.opened_at is null)), 0)::float8 as closed,
              coalesce(extract(epoch from now() - min(w.due_at) filter (where l.opened_at is not null)), 0)::float8 as open
         from due_lane w
         join callback_lane l on l.id = w.lane_id
        where w.due_at <= now()`,
    )
    return rows[0]
  } catch {
    return { closed: unknown, open: unknown }
  }
}

async function countOpenCircuits(db: Queryable): Promise<number> {
  try {
    const { rows } = await db.query(
      `select count(*)::float8 as open from callback_lane where opened_at is not null`,
    )
    return rows[0].open
  } catch {
    return unknown
  }
}

/** Whether this courier can deliver: 1 while the database and the queue are there, 0 while one of them is not. */
export function countWorking(registry: Registry | undefined, isWorking: () => boolean): void {
  new Gauge({
    name: 'gateway_courier_working',
    help: 'Whether this courier can lease and enqueue callbacks: 0 while the database or the queue is away.',
    registers: registry ? [registry] : [],
    collect() {
      this.set(isWorking() ? 1 : 0)
    },
  })
}

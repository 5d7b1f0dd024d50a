import { Counter, Gauge, Histogram, type Registry } from '../base/metrics.ts'
import type { Queryable } from '../db/pool.ts'

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
    help: 'How long the oldest callback that could be sent has been waiting.',
    registers,
    async collect() {
      this.set(await oldestDueSeconds(db))
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

async function oldestDueSeconds(db: Queryable): Promise<number> {
  try {
    const { rows } = await db.query(
      `select coalesce(extract(epoch from now() - min(due_at)), 0)::float8 as seconds
         from callback_outbox
        where state = 'due' and due_at <= now()`,
    )
    return rows[0].seconds
  } catch {
    return unknown
  }
}

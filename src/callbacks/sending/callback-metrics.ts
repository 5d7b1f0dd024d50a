import { Counter, Gauge, Histogram, type Registry } from '../../base/metrics.ts'
import { type Queryable, rows } from '../../db/pool.ts'

export interface CallbackMetrics {
  attempts: Counter<'outcome'>
  exhausted: Counter
  seconds: Histogram
}

/**
 * Defines the courier's metrics. Open callbacks are counted in the database at each scrape, so all couriers report the same
 * numbers, and callbacks that none of them has leased are included.
 * @param registry which exposes them. Without one they are counted and not exposed.
 */
export function createCallbackMetrics(registry: Registry | undefined, db: Queryable): CallbackMetrics {
  const registers = registry ? [registry] : []
  new Gauge({
    name: 'gateway_callbacks',
    help: 'Callbacks not delivered yet, by state: due, in_flight, held. Exhausted ones have a counter of their own.',
    labelNames: ['state'],
    registers,
    async collect() {
      for (const [state, count] of Object.entries(await countOpen(db))) this.set({ state }, count)
    },
  })
  new Gauge({
    name: 'gateway_callback_oldest_due_seconds',
    help: 'How long the oldest due callback has been waiting; circuit="open": of those behind an open circuit.',
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
    help: 'Lanes (merchant and origin) whose circuit is open: their endpoints fail and get single probes only.',
    registers,
    async collect() {
      this.set((await countOpenCircuits(db)).open)
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
      help: 'Callbacks that are exhausted: all their attempts were made, or the endpoint answered 410.',
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

/** The value while the database cannot be reached: a scrape must not fail then, since its other metrics are needed. */
const unknown = Number.NaN

/** Runs a count of one row. @returns `otherwise` when the database cannot answer. */
async function countOr<T extends object>(otherwise: T, db: Queryable, text: string): Promise<T> {
  const counted = await rows<T>(db, text).catch(() => [otherwise])
  return counted[0]!
}

function countOpen(db: Queryable): Promise<Record<'due' | 'in_flight' | 'held', number>> {
  return countOr(
    { due: unknown, in_flight: unknown, held: unknown },
    db,
    `select (select count(*) from callback_outbox where state = 'due')::float8 as due,
            (select count(*) from callback_outbox where state = 'in_flight')::float8 as in_flight,
            (select count(*) from callback_outbox where state = 'held')::float8 as held`,
  )
}

/** Reads the first due row of each lane, so that the cost does not grow with the number of callbacks that wait. */
function oldestDueSeconds(db: Queryable): Promise<{ closed: number; open: number }> {
  return countOr(
    { closed: unknown, open: unknown },
    db,
    `select coalesce(extract(epoch from now() - min(w.due_at) filter (where l.opened_at is null)), 0)::float8 as closed,
            coalesce(extract(epoch from now() - min(w.due_at) filter (where l.opened_at is not null)), 0)::float8 as open
       from due_lane w
       join callback_lane l on l.id = w.lane_id
      where w.due_at <= now()`,
  )
}

function countOpenCircuits(db: Queryable): Promise<{ open: number }> {
  const text = `select count(*)::float8 as open from callback_lane where opened_at is not null`
  return countOr({ open: unknown }, db, text)
}

/** Defines the metric that is 1 while the courier can use the database and the queue, and 0 while it cannot use one of them. */
export function countWorking(registry: Registry | undefined, isWorking: () => boolean): void {
  new Gauge({
    name: 'gateway_courier_working',
    help: 'Whether this courier can lease and enqueue callbacks: 0 while the database or the queue is unavailable.',
    registers: registry ? [registry] : [],
    collect() {
      this.set(isWorking() ? 1 : 0)
    },
  })
}

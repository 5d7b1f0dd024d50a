import type pg from 'pg'
import { cutConnection, type DatabaseClient, SilentConnectionError } from './database-client.ts'
import type { Pool } from './pool.ts'

/**
 * How often a connection that waits for notifications is asked for a sign of life, and for how long it is waited for. Nothing
 * else is said on it, so nothing else would show that it has gone silent: a firewall forgot it, say.
 */
const silence = { everyMs: 10_000, withinMs: 5_000 }

/** Watches a connection that waits for notifications, and cuts it when it has gone silent. @returns a function that stops it. */
export function watchSilence(client: DatabaseClient, { everyMs, withinMs } = silence): () => void {
  const timer = setInterval(() => requireAnswer(client, withinMs), everyMs)
  const stop = () => clearInterval(timer)
  client.once('end', stop)
  return stop
}

/** The same for the connections that somebody takes from a pool and keeps, to wait for notifications. */
export function watchKeptConnections(pool: Pool, { everyMs, withinMs } = silence): () => void {
  const takenAt = new Map<pg.Client, number>()
  pool.on('acquire', client => takenAt.set(client, performance.now()))
  pool.on('release', (_, client) => takenAt.delete(client))
  const timer = setInterval(() => {
    const before = performance.now() - everyMs
    for (const [client, at] of takenAt) if (at < before) requireAnswer(client, withinMs)
  }, everyMs)
  return () => clearInterval(timer)
}

/** How long an idle connection may take to answer, when another one of its pool has gone silent. */
const idleWithinMs = 2_000

/**
 * Has a pool ask all its idle connections for a sign of life as soon as one of its connections has gone silent, and replace those
 * that give none: what forgot one has mostly forgotten all, and otherwise each would cost somebody its deadline.
 */
export function watchIdleConnections(pool: Pool): void {
  pool.on('connect', client =>
    client.on('error', error => {
      if (error instanceof SilentConnectionError) for (let n = pool.idleCount; n > 0; n--) askIdle(pool)
    }),
  )
}

function askIdle(pool: Pool): void {
  pool.connect().then(
    client =>
      askForLife(client, idleWithinMs).then(
        () => client.release(),
        error => client.release(error),
      ),
    () => undefined, // There was none any more, and a new one cannot be made. Whoever needs one is told.
  )
}

function requireAnswer(client: pg.Client, withinMs: number): void {
  // A statement that is under way counts: it has a deadline of its own.
  askForLife(client, withinMs).catch(() => cutConnection(client))
}

function askForLife(client: pg.ClientBase, withinMs: number): Promise<unknown> {
  // pg's types lack the option.
  const question: pg.QueryConfig & { query_timeout: number } = { text: 'select 1', query_timeout: withinMs }
  return client.query(question)
}

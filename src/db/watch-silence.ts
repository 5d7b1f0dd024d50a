import type pg from 'pg'
import { cutConnection, type DatabaseClient } from './database-client.ts'
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

function requireAnswer(client: pg.Client, withinMs: number): void {
  // pg's types lack the option. A statement that is under way counts: it has a deadline of its own.
  const question: pg.QueryConfig & { query_timeout: number } = { text: 'select 1', query_timeout: withinMs }
  client.query(question).catch(() => cutConnection(client, `no answer within ${withinMs} ms`))
}

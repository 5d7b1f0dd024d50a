import { GatewayError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'

/**
 * Asks whether anything is watched: the watcher has written its cursor, and the database says so.
 * @throws GatewayError not_ready when there is no cursor yet.
 */
export async function requireCursor(pool: Pool): Promise<void> {
  const { rowCount } = await pool.query('select from chain_cursor')
  if (rowCount === 0) {
    throw new GatewayError('not_ready', 'the gateway has not begun to follow the chain: try again', {
      retryAfterS: 5,
    })
  }
}

/**
 * Nothing is handed out before it is watched: until there is a cursor, merchants are told to wait.
 * @returns a check that throws GatewayError not_ready; once the cursor has been seen, which stays, it asks no more.
 */
export function openReadiness(pool: Pool): () => void | Promise<void> {
  let watched = false
  const look = async () => {
    await requireCursor(pool)
    watched = true
  }
  return () => (watched ? undefined : look())
}

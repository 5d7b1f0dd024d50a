import { GatewayError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'

/**
 * Nothing is handed out before it is watched: until the watcher has written its cursor, merchants are told to wait.
 * @returns a check that throws GatewayError not_ready; once the cursor has been seen it asks no more.
 */
export function openReadiness(pool: Pool): () => void | Promise<void> {
  let watched = false
  const look = async () => {
    const { rowCount } = await pool.query('select from chain_cursor')
    if (rowCount === 0) {
      throw new GatewayError('not_ready', 'the gateway has not begun to follow the chain: try again', {
        retryAfterS: 5,
      })
    }
    watched = true
  }
  return () => (watched ? undefined : look())
}

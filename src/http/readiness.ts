import { GatewayError } from '../base/errors.ts'
import { type Pool, promptly, rows } from '../db/pool.ts'

/**
 * Checks that the watcher has written its cursor, so that addresses are watched.
 * @throws GatewayError not_ready when there is no cursor yet.
 */
export async function requireCursor(pool: Pool): Promise<void> {
  const cursors = await rows(pool, { text: 'select from chain_cursor', ...promptly })
  if (cursors.length === 0) {
    throw new GatewayError('not_ready', 'the gateway has not begun to follow the chain: try again', {
      retryAfterS: 5,
    })
  }
}

/**
 * Opens the check of the merchant API: no address is handed out before it is watched.
 * @returns a check that throws GatewayError not_ready. A cursor is never removed: once seen, the check queries no more.
 */
export function openReadiness(pool: Pool): () => void | Promise<void> {
  let watched = false
  const look = async () => {
    await requireCursor(pool)
    watched = true
  }
  return () => (watched ? undefined : look())
}

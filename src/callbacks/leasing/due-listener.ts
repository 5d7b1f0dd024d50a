import pg from 'pg'
import type { Logger } from '../../base/log.ts'
import { dueChannel } from '../outbox/callback-store.ts'

/** How soon a lost connection is tried again; until then polling finds what is due. */
const reconnectMs = 500

/**
 * Listens, on a connection of its own, for callbacks written by the watcher. A notice is a doorbell, no more: each that is
 * missed costs the time to the next poll.
 * @param ring is called at each notice, and after each reconnection.
 */
export function listenForDue(databaseUrl: string, ring: () => void, log: Logger): { stop(): Promise<void> } {
  const state = { stopped: false, connected: undefined as boolean | undefined, hangUp: () => {} }
  const finished = (async () => {
    while (!state.stopped) {
      await listenOnce(databaseUrl, ring, log, state)
      if (!state.stopped) await pause(reconnectMs, state)
    }
  })()
  return {
    stop: async () => {
      state.stopped = true
      state.hangUp()
      await finished
    },
  }
}

interface ListenerState {
  stopped: boolean
  connected: boolean | undefined
  hangUp: () => void
}

/** Listens until the connection ends, for whatever reason. */
async function listenOnce(
  databaseUrl: string,
  ring: () => void,
  log: Logger,
  state: ListenerState,
): Promise<void> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'recharge-gateway-listen',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 5_000,
  })
  const ended = new Promise<void>(resolve => client.once('end', resolve))
  client.on('notification', ring)
  let reason = 'connection closed'
  client.on('error', error => {
    reason = error.message
  })
  try {
    await client.connect()
    await client.query(`listen ${dueChannel}`)
    if (state.connected === false) log.info('courier.listening_again')
    state.connected = true
    state.hangUp = () => void client.end()
    if (state.stopped) state.hangUp()
    // What was written while nobody listened.
    ring()
    await ended
  } catch (error) {
    reason = (error as Error).message
    await client.end().catch(() => undefined) // It never was connected.
  }
  if (state.connected !== false && !state.stopped) log.warn({ reason }, 'courier.listen_lost')
  state.connected = false
}

function pause(ms: number, state: ListenerState): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    state.hangUp = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}

import type { Logger } from '../../base/log.ts'
import { DatabaseClient } from '../../db/database-client.ts'
import { clientConfig, run } from '../../db/pool.ts'
import { watchSilence } from '../../db/watch-silence.ts'
import { dueChannel } from '../outbox/callback-store.ts'

const listening = { name: 'recharge-gateway-listen', statementTimeoutMs: 5_000 }

/** How soon it connects again. Until then, polling finds what is due. */
const reconnectMs = 500

/**
 * Listens for new callbacks on a connection of its own. A missed notification delays them until the next poll, no longer.
 * @param ring called at each notification, and whenever it has connected.
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

/** Listens until the connection ends. */
async function listenOnce(
  databaseUrl: string,
  ring: () => void,
  log: Logger,
  state: ListenerState,
): Promise<void> {
  const client = new DatabaseClient(clientConfig(databaseUrl, listening))
  const ended = new Promise<void>(resolve => client.once('end', resolve))
  client.on('notification', ring)
  let reason = 'connection closed'
  client.on('error', error => {
    reason = error.message
  })
  try {
    await client.connect()
    await run(client, `listen ${dueChannel}`)
    watchSilence(client)
    if (state.connected === false) log.info('courier.listening_again')
    state.connected = true
    state.hangUp = () => void client.end()
    if (state.stopped) state.hangUp()
    // Callbacks may have been written while nothing listened.
    ring()
    await ended
  } catch (error) {
    reason = (error as Error).message
    await client.end().catch(() => undefined) // It may never have been connected.
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

import { DatabaseClient } from './database-client.ts'
import { clientConfig, run } from './pool.ts'
import { watchSilence } from './watch-silence.ts'

/** How soon it connects again. Until then its owner finds out by polling. */
const reconnectMs = 500

/**
 * Listens to a channel on a connection of its own. A missed notification delays what it tells of until the next poll, no longer.
 * @param channel a name of ours, written into the statement as it is.
 * @param ring called at each notification, and whenever it has connected.
 * @param lost called when it is lost, once until it is back. @param again called when it is back.
 */
export function listen(options: {
  databaseUrl: string
  /** How Postgres shows the connection. */
  name: string
  channel: string
  ring: () => void
  lost: (reason: string) => void
  again: () => void
}): { stop(): Promise<void> } {
  const state = { stopped: false, connected: undefined as boolean | undefined, hangUp: () => {} }
  const finished = (async () => {
    while (!state.stopped) {
      await listenOnce(options, state)
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
  { databaseUrl, name, channel, ring, lost, again }: Parameters<typeof listen>[0],
  state: ListenerState,
): Promise<void> {
  const client = new DatabaseClient(clientConfig(databaseUrl, { name, statementTimeoutMs: 5_000 }))
  const ended = new Promise<void>(resolve => client.once('end', resolve))
  client.on('notification', ring)
  let reason = 'connection closed'
  client.on('error', error => {
    reason = error.message
  })
  try {
    await client.connect()
    await run(client, `listen ${channel}`)
    watchSilence(client)
    if (state.connected === false) again()
    state.connected = true
    state.hangUp = () => void client.end()
    if (state.stopped) state.hangUp()
    // Something may have happened while nothing listened.
    ring()
    await ended
  } catch (error) {
    reason = (error as Error).message
    await client.end().catch(() => undefined) // It may never have been connected.
  }
  if (state.connected !== false && !state.stopped) lost(reason)
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

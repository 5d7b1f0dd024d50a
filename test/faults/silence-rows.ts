import { setTimeout as sleep } from 'node:timers/promises'
import type { Process } from '../../src/start-gateway.ts'
import { type Deployment, type DeploymentSettings, patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
import { isSettled, type PayingLoad } from './paying-load.ts'
import type { Relays } from './relays.ts'

// P6, R7 and N11: all connections of one process to one server go silent at once, as when a firewall forgets them. Neither end
// is told. New connections work.

/** Limits that nobody reaches, so that requests are counted in Redis. */
const counting = { RATE_LIMIT_PER_MINUTE: '1000000', IP_RATE_LIMIT_PER_MINUTE: '1000000' }

export const silenceRows: readonly FaultRow[] = [
  silent('P6', 'api', 'postgres', 'Postgres'),
  silent('P6', 'watcher', 'postgres', 'Postgres'),
  silent('P6', 'courier', 'postgres', 'Postgres (queue on redis)', { queue: 'redis' }),
  silent('P6', 'courier', 'postgres', 'Postgres (queue on postgres)', { queue: 'postgres' }),
  silent('R7', 'api', 'redis', 'Redis', { queue: 'redis', env: counting }),
  silent('R7', 'courier', 'redis', 'Redis', { queue: 'redis' }),
  silent('N11', 'watcher', 'node', 'the node over HTTP', { nodes: ['http'] }),
  silent('N11', 'watcher', 'node', 'the node over gRPC', { nodes: ['grpc'] }),
]

function silent(
  id: string,
  role: Process,
  server: 'postgres' | 'redis' | 'node',
  name: string,
  settings: Partial<DeploymentSettings> = {},
): FaultRow {
  return {
    id,
    what: `connections of the ${role} to ${name} go silent`,
    settings: { ...settings, relayed: role },
    // The record of an attempt may be among what was swallowed.
    mayRepeat: role === 'courier',
    inject: scene => forgetAll(scene, role, server),
  }
}

async function forgetAll(
  { deployment, load }: Scene,
  role: Process,
  server: 'postgres' | 'redis' | 'node',
): Promise<Injected> {
  const readiness = watchReadiness(deployment, () => workDone[role](deployment, load))
  const at = Date.now()
  relayOf(deployment.relays!, server).forget()
  let seen: Readiness
  try {
    await patiently(
      'orders from before and after it to be settled',
      () =>
        load.orders.every(order => order.begunAt > at || isSettled(order)) &&
        load.orders.some(order => order.begunAt > at && isSettled(order)),
      180_000,
    )
  } finally {
    seen = await readiness.stop()
  }
  const { untrueMs, notReadyMs } = seen
  if (untrueMs > untrueMaxMs) throw new Error(`/readyz said ready for ${untrueMs} ms while nothing was done`)
  return {
    at,
    note: `not ready for ${seconds(notReadyMs)}, ready without work for at most ${seconds(untrueMs)}`,
  }
}

function relayOf(relays: Relays, server: 'postgres' | 'redis' | 'node') {
  const relay = relays[server]
  if (!relay) throw new Error(`this process has no connections to ${server}`)
  return relay
}

/** What a process has done so far: a number that grows while it works. */
const workDone: Record<Process, (deployment: Deployment, load: PayingLoad) => Promise<number> | number> = {
  api: (_, load) => load.orders.filter(order => order.answered).length,
  watcher: async ({ pool }) => {
    const { rows } = await pool.query<{ height: number }>('select height from chain_cursor')
    return rows[0]!.height
  },
  courier: ({ shops }) => shops.reduce((sum, shop) => sum + shop.receipts.length, 0),
}

/** There are always orders to answer, blocks to read and callbacks to send: a process that does none of it is not ready. */
const untrueMaxMs = 45_000
const lookEveryMs = 250

interface Readiness {
  notReadyMs: number
  /** How long at the most it said that it is ready, while it did nothing. */
  untrueMs: number
}

/** Asks a process for its readiness all the time, and how much it has done. */
function watchReadiness(deployment: Deployment, done: () => Promise<number> | number) {
  const url = `${deployment.healthUrl}/readyz`
  const seen: Readiness = { untrueMs: 0, notReadyMs: 0 }
  let stopped = false
  const watching = (async () => {
    let before = await done()
    let readyMs = 0
    for (let last = Date.now(); !stopped; await sleep(lookEveryMs)) {
      const isReady = await fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
        ({ ok }) => ok,
        () => false,
      )
      const now = await done()
      const sinceMs = Date.now() - last
      last += sinceMs
      if (!isReady) seen.notReadyMs += sinceMs
      readyMs = isReady && now === before ? readyMs + sinceMs : 0
      seen.untrueMs = Math.max(seen.untrueMs, readyMs)
      before = now
    }
    return seen
  })()
  watching.catch(() => undefined) // Told at the end.
  return {
    stop: () => {
      stopped = true
      return watching
    },
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

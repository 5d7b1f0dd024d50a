import type { Logger } from '../base/log.ts'
import { Counter, type Registry } from '../base/metrics.ts'
import { repeat } from '../base/repeat.ts'
import type { Queryable } from '../db/pool.ts'
import { workingRoles } from './process-store.ts'
import type { Sender } from './send-message.ts'

export const heartbeatMs = 60_000
const needed = ['api', 'watcher', 'courier']

/**
 * Calls a URL every minute while the gateway works, until the signal aborts. The leading watcher alone does: an API that lives
 * says nothing about crediting. It is not called while the watcher lags, or no process of a role says that it is ready.
 * @param isBehind whether the alarm `lag` is raised.
 */
export async function beat(options: {
  db: Queryable
  url: string
  sender: Sender
  isBehind: () => boolean
  counter: Counter<'outcome'>
  log: Logger
  signal: AbortSignal
  everyMs?: number
}): Promise<void> {
  const { db, url, sender, isBehind, counter, log, signal } = options
  let lastReason: string | null = null
  const say = (outcome: 'sent' | 'failed' | 'withheld', reason: string | null) => {
    counter.inc({ outcome })
    // Only a change is logged.
    if (reason === lastReason) return
    lastReason = reason
    if (outcome === 'sent') log.info('heartbeat.sent')
    else if (outcome === 'failed') log.warn({ reason }, 'heartbeat.failed')
    else log.warn({ reason }, 'heartbeat.withheld')
  }
  const work = async () => {
    const roles = await workingRoles(db)
    const missing = needed.filter(role => !roles.includes(role))
    if (isBehind()) say('withheld', 'the watcher is behind')
    else if (missing.length > 0) say('withheld', `no process works as ${missing.join(', ')}`)
    else {
      const sent = await sender.get(url)
      say(sent.ok ? 'sent' : 'failed', sent.ok ? null : sent.reason)
    }
  }
  await repeat({ chore: 'heartbeat', everyMs: options.everyMs ?? heartbeatMs, work, log, signal })
}

export function countHeartbeats(registry: Registry): Counter<'outcome'> {
  const counter = new Counter({
    name: 'gateway_heartbeats_total',
    help: 'Heartbeats of the leading watcher, by outcome (sent, failed, withheld).',
    labelNames: ['outcome'],
    registers: [registry],
  })
  for (const outcome of ['sent', 'failed', 'withheld']) counter.inc({ outcome }, 0)
  return counter
}

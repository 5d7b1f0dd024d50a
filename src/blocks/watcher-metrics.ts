import { Counter, Gauge, type Registry } from '../base/metrics.ts'
import type { BlockRef } from '../tron/block.ts'

/** What one commit wrote. */
export interface CommitCounts {
  transfers: number
  credits: number
  deposits?: number
  callbacks: number
  quarantined: number
}

/** Creates the watcher's metrics: the cursor, what was written, whether this watcher leads. */
export function createWatcherMetrics(registry: Registry) {
  const registers = [registry]
  const height = new Gauge({
    name: 'gateway_cursor_height',
    help: 'Height of the last recorded block',
    registers,
  })
  const time = new Gauge({
    name: 'gateway_cursor_time_seconds',
    help: "The last recorded block's time",
    registers,
  })
  const leading = new Gauge({ name: 'gateway_watcher_leads', help: '1 while this watcher leads', registers })
  const credited = new Gauge({
    name: 'gateway_last_credit_time_seconds',
    help: 'When this watcher last wrote a credit or deposit; 0: not since it started',
    registers,
  })
  const counters = {
    transfers: new Counter({ name: 'gateway_transfers_total', help: 'Transfers recorded', registers }),
    credits: new Counter({ name: 'gateway_credits_total', help: 'Credits written', registers }),
    deposits: new Counter({ name: 'gateway_deposits_total', help: 'Deposits written', registers }),
    callbacks: new Counter({ name: 'gateway_callbacks_written_total', help: 'Callbacks written', registers }),
    quarantined: new Counter({
      name: 'gateway_quarantined_total',
      help: 'Logs that cannot be decoded and transfers that cannot be credited',
      registers,
    }),
  }
  return {
    leads: (leads: boolean) => leading.set(leads ? 1 : 0),
    cursorAt: (at: BlockRef) => {
      height.set(at.height)
      time.set(at.time.getTime() / 1000)
    },
    committed: (counts: CommitCounts) => {
      for (const [name, counter] of Object.entries(counters)) {
        counter.inc(counts[name as keyof CommitCounts] ?? 0)
      }
      if (counts.credits + (counts.deposits ?? 0) > 0) credited.setToCurrentTime()
    },
  }
}

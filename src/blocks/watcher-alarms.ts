import type { Logger } from '../base/log.ts'
import { Counter, Gauge, type Registry } from '../base/metrics.ts'

/** Problems with payments or the chain, not with the process. Each has a gauge that is 1 while its alarm is raised. */
export const watcherAlarms = [
  'lag',
  'no_transfers',
  'unlinked',
  'uncounted',
  'disagreement',
  'quarantine',
  'held',
  'unproven',
  'discrepancy',
  'contract',
  'clock',
  'addresses',
] as const
export type WatcherAlarm = (typeof watcherAlarms)[number]

export interface Alarms {
  /** Raises or clears an alarm. Only a change is logged, at error level when the alarm is raised. */
  set(alarm: WatcherAlarm, raised: boolean, detail?: object): void
  raised(): WatcherAlarm[]
}

/** Creates the alarms. They appear in the log, in gateway_alarm{alarm} (1 while raised) and in gateway_alarms_total. */
export function createAlarms(registry: Registry, log: Logger): Alarms {
  const labelNames = ['alarm'] as const
  const registers = [registry]
  const gauge = new Gauge({
    name: 'gateway_alarm',
    help: '1 while the alarm is raised',
    labelNames,
    registers,
  })
  const counter = new Counter({ name: 'gateway_alarms_total', help: 'Alarms raised', labelNames, registers })
  const raised = new Set<WatcherAlarm>()
  for (const alarm of watcherAlarms) gauge.set({ alarm }, 0)
  return {
    set: (alarm, isRaised, detail = {}) => {
      if (raised.has(alarm) === isRaised) return
      gauge.set({ alarm }, isRaised ? 1 : 0)
      if (isRaised) {
        raised.add(alarm)
        counter.inc({ alarm })
        log.error({ alarm, ...detail }, 'alarm.raised')
      } else {
        raised.delete(alarm)
        log.info({ alarm, ...detail }, 'alarm.cleared')
      }
    },
    raised: () => [...raised],
  }
}

import type { Logger } from '../base/log.ts'
import { Counter, Gauge, type Registry } from '../base/metrics.ts'

/** Problems with payments or the chain, not with the process. Each has a gauge that is 1 while its alarm is raised. */
export const watcherAlarms = [
  'lag',
  'no_transfers',
  'unlinked',
  'uncounted',
  'parked',
  'disagreement',
  'quarantine',
  'held',
  'unproven',
  'discrepancy',
  'contract',
  'clock',
  'addresses',
  'callbacks_late',
  'callbacks_exhausted',
  'endpoints',
  'chores',
] as const
export type WatcherAlarm = (typeof watcherAlarms)[number]

/** An alarm as it was last set. `count`: how many things it is about. */
export interface AlarmState {
  alarm: WatcherAlarm
  isRaised: boolean
  detail: object
  count: number
}

export interface Alarms {
  /** Raises or clears an alarm. Only a change is logged, at error level when the alarm is raised. */
  set(alarm: WatcherAlarm, raised: boolean, detail?: object, count?: number): void
  raised(): WatcherAlarm[]
  /** Every alarm that was set since the beginning, or since the last `forget`. */
  states(): AlarmState[]
  /** Forgets what was set: another watcher leads and knows better. */
  forget(): void
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
  const states = new Map<WatcherAlarm, AlarmState>()
  const raised = () => [...states.values()].filter(state => state.isRaised).map(state => state.alarm)
  for (const alarm of watcherAlarms) gauge.set({ alarm }, 0)
  return {
    set: (alarm, isRaised, detail = {}, count = 1) => {
      const wasRaised = states.get(alarm)?.isRaised ?? false
      states.set(alarm, { alarm, isRaised, detail, count })
      if (wasRaised === isRaised) return
      gauge.set({ alarm }, isRaised ? 1 : 0)
      if (isRaised) {
        counter.inc({ alarm })
        log.error({ alarm, ...detail }, 'alarm.raised')
      } else {
        log.info({ alarm, ...detail }, 'alarm.cleared')
      }
    },
    raised,
    states: () => [...states.values()],
    forget: () => {
      for (const alarm of raised()) gauge.set({ alarm }, 0)
      states.clear()
    },
  }
}

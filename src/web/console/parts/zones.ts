import type { Locale } from '../../shell/locale.ts'

/** Zones of which days can be chosen. The browser writes times in its own; a file has to name one. */
export const zones = [
  'UTC',
  'Asia/Shanghai',
  'Asia/Hong_Kong',
  'Asia/Singapore',
  'Asia/Manila',
  'Asia/Ho_Chi_Minh',
  'Asia/Jakarta',
  'Asia/Tokyo',
  'Asia/Kolkata',
  'Asia/Dubai',
  'Europe/Moscow',
  'Europe/Berlin',
  'Europe/London',
  'Africa/Lagos',
  'America/Sao_Paulo',
  'America/New_York',
  'America/Los_Angeles',
] as const

export type Zone = (typeof zones)[number]

/** Chooses the zone that a query names, or else the one that readers of the language are most likely in. */
export function zoneOf(named: string, locale: Locale): Zone {
  return zones.find(one => one === named) ?? (locale === 'zh' ? 'Asia/Shanghai' : 'UTC')
}

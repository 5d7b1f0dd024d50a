import { fromLegacyUnits, legacy } from '../../../base/money.ts'
import type { MoneyDay } from '../../../credits/money-day-store.ts'

const dayMs = 86_400_000
const daysShown = 30

/** When the first of the days that are shown begins, in UTC. */
export function firstDay(now: Date): Date {
  return new Date(startOfDay(now) - (daysShown - 1) * dayMs)
}

function startOfDay(now: Date): number {
  return Math.floor(now.getTime() / dayMs) * dayMs
}

/** The last days up to today, empty ones included. */
export function lastDays(days: readonly MoneyDay[], now: Date): MoneyDay[] {
  const byDay = new Map(days.map(day => [day.day, day]))
  return Array.from({ length: daysShown }, (_, i) => {
    const day = new Date(startOfDay(now) - (daysShown - 1 - i) * dayMs).toISOString().slice(0, 10)
    const none = { transfers: 0n, received: 0n, callbacks: 0n, announced: legacy(0n) }
    return byDay.get(day) ?? ({ day, ...none } as MoneyDay)
  })
}

export function announcedOf({ announced }: MoneyDay): bigint {
  return fromLegacyUnits(announced)
}

export function sumOf(days: readonly MoneyDay[]) {
  const sum = (of: (day: MoneyDay) => bigint) => days.reduce((total, day) => total + of(day), 0n)
  return {
    transfers: sum(day => day.transfers),
    received: sum(day => day.received),
    callbacks: sum(day => day.callbacks),
    announced: sum(announcedOf),
  }
}

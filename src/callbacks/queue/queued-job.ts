import type { Lease } from '../outbox/lease.ts'
import { leaseKey, parseLeaseKey } from '../outbox/lease.ts'

/**
 * What a job of the queue holds: leases, as `id-epoch` with spaces between. Text, since neither JSON nor Lua has our
 * integers. Several in one, because a job costs the queue and its client ten times what a lease costs them.
 */
export interface CallData {
  leases: string
}

/** Leases in one call at the most. More would save little, and come back to be looked at together after a crash. */
const callLeasesMax = 64

/**
 * How many leases go in one call: an eighth of the slots at the most, since a call is only begun when there are slots
 * for all of it.
 */
export function callSize(slots: number): number {
  return Math.max(1, Math.min(callLeasesMax, Math.floor(slots / 8)))
}

/** Divides leases into calls of about the same size. */
export function divideIntoCalls(leases: readonly Lease[], size: number): Lease[][] {
  const calls = Math.ceil(leases.length / size)
  return Array.from({ length: calls }, (_, i) =>
    leases.slice(Math.floor((i * leases.length) / calls), Math.floor(((i + 1) * leases.length) / calls)),
  )
}

export function callData(leases: readonly Lease[]): CallData {
  return { leases: leases.map(leaseKey).join(' ') }
}

/** Reads a job's data. @returns null when it is not one of ours. */
export function readCall(data: unknown): Lease[] | null {
  const text = (data as Partial<CallData> | null)?.leases
  if (typeof text !== 'string' || !/^\d{1,18}-\d{1,18}( \d{1,18}-\d{1,18})*$/.test(text)) return null
  return text.split(' ').map(parseLeaseKey)
}

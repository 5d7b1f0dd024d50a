import type { Lease } from '../outbox/lease.ts'
import { leaseKey } from '../outbox/lease.ts'

/**
 * What a job of the queue holds: leases, as `id-epoch` with spaces between. Text, since neither JSON nor Lua has our
 * integers. Several in one, because a job costs the queue and its client ten times what a lease costs them.
 */
export interface JobData {
  leases: string
}

/** Leases in one job at the most. More would save little, and come back to be looked at together after a crash. */
const jobLeasesMax = 64

/**
 * How many leases go in one job: an eighth of the slots at the most, since a job is only begun when there are slots
 * for all of it.
 */
export function jobSize(slots: number): number {
  return Math.max(1, Math.min(jobLeasesMax, Math.floor(slots / 8)))
}

/** Divides leases into jobs of about the same size. */
export function divideIntoJobs(leases: readonly Lease[], size: number): Lease[][] {
  const jobs = Math.ceil(leases.length / size)
  return Array.from({ length: jobs }, (_, i) =>
    leases.slice(Math.floor((i * leases.length) / jobs), Math.floor(((i + 1) * leases.length) / jobs)),
  )
}

export function jobData(leases: readonly Lease[]): JobData {
  return { leases: leases.map(leaseKey).join(' ') }
}

/** Reads a job's data. @returns null when it is not one of ours. */
export function readJob(data: unknown): Lease[] | null {
  const text = (data as Partial<JobData> | null)?.leases
  if (typeof text !== 'string' || !/^\d{1,18}-\d{1,18}( \d{1,18}-\d{1,18})*$/.test(text)) return null
  return text.split(' ').map(key => {
    const dash = key.indexOf('-')
    return { id: BigInt(key.slice(0, dash)), epoch: BigInt(key.slice(dash + 1)) }
  })
}

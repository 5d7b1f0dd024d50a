import type { MerchantId } from '../../base/ids.ts'
import { type HandedLease, type Lease, leaseKey, parseLeaseKey } from '../outbox/lease.ts'

/** Leases that travel through the queue together, since a job costs the queue and its client ten times what a lease costs. */
export interface QueuedJob<L extends Lease = EnqueuedLease> {
  /** Made of its first lease: since no lease is given out twice, no id comes twice. */
  id: string
  leases: readonly L[]
}

/** What a courier enqueues: leases, each with its merchant. */
export interface EnqueuedLease extends Lease {
  merchantId: MerchantId
}

/** A job as the queue stores it. Text, because JSON and Lua lack our integers. */
export interface JobData {
  /** `id-epoch`, separated by spaces. */
  leases: string
  /** The merchant of each, in their order. Couriers of earlier versions neither write nor read it. */
  merchants?: string
}

/** The most leases in one job. More would save little, and a crash would return more leases to be checked together. */
const jobLeasesMax = 64

/** Computes how many leases go in one job: at most an eighth of the slots, since a job begins only when all of it has room. */
export function jobSize(slots: number): number {
  return Math.max(1, Math.min(jobLeasesMax, Math.floor(slots / 8)))
}

/** Divides leases into jobs of about the same size. */
export function divideIntoJobs<L extends Lease>(leases: readonly L[], size: number): QueuedJob<L>[] {
  const jobs = Math.ceil(leases.length / size)
  return Array.from({ length: jobs }, (_, i) => {
    const [from, to] = [i, i + 1].map(n => Math.floor((n * leases.length) / jobs)) as [number, number]
    return { id: `cb-${leaseKey(leases[from]!)}`, leases: leases.slice(from, to) }
  })
}

export function jobData(leases: readonly EnqueuedLease[]): JobData {
  return {
    leases: leases.map(leaseKey).join(' '),
    merchants: leases.map(lease => lease.merchantId).join(' '),
  }
}

/** Reads a job's data. @returns null when it is not one of ours. */
export function readJob(data: unknown): HandedLease[] | null {
  const { leases: text, merchants } = (data ?? {}) as Partial<Record<keyof JobData, unknown>>
  if (typeof text !== 'string' || !/^\d{1,18}-\d{1,18}( \d{1,18}-\d{1,18})*$/.test(text)) return null
  const keys = text.split(' ')
  const merchantIds = readMerchants(merchants, keys.length)
  return keys.map((key, i) => ({ ...parseLeaseKey(key), merchantId: merchantIds?.[i] ?? null }))
}

/** Reads the merchants of a job's leases. @returns null when they are not named, one by one. */
function readMerchants(text: unknown, count: number): MerchantId[] | null {
  if (typeof text !== 'string' || !/^\d{1,18}( \d{1,18})*$/.test(text)) return null
  const ids = text.split(' ')
  return ids.length === count ? ids.map(id => BigInt(id) as MerchantId) : null
}

import type { SolidBlock, Unverified } from '../tron/block.ts'

// What follows from reading a block again, without I/O.

const secondMs = 1_000
const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** The wait before something is read again: 10 s and 30 s after it was first shown, then each minute, after an hour less often. */
export function nextCheckMs(checksBefore: number, ageMs: number): number {
  if (checksBefore === 0) return 10 * secondMs
  if (checksBefore === 1) return 20 * secondMs
  return ageMs < hourMs ? minuteMs : 10 * minuteMs
}

/** The same for a whole block: after a day each hour. Some can be read by nobody, for good. */
export function nextBlockCheckMs(checksBefore: number, ageMs: number): number {
  return ageMs < 24 * hourMs ? nextCheckMs(checksBefore, ageMs) : hourMs
}

/** The wait before something rejected is read again: it doubles from ten minutes, for a day. @returns null after that. */
export function nextCheckOfRejectedMs(rejectedMs: number): number | null {
  return rejectedMs < 24 * hourMs ? Math.max(10 * minuteMs, rejectedMs) : null
}

/** How long the only host has to go on leaving a transfer out until it is rejected. */
export const leftOutMs = minuteMs

/** Readings whose logs are known not to be those of the block, or that do not say whether they are all. */
const falseLogs: readonly (Unverified | null)[] = ['infos', 'header-only', 'unlogged', 'contradicted']

/** Tells whether a reading says that a transfer is not in the block. One whose logs are not the block's says nothing. */
export function canDeny(reading: SolidBlock, hash: string): boolean {
  return reading.hash === hash && !falseLogs.includes(reading.unverified)
}

/**
 * What a single honest host may show of a block, too: its JSON lacks a field that it does not know, or nobody has said who
 * produces blocks, or it cannot print the block, for good. It is not asked for ever: in the last case for a day, since nothing
 * says whether infos without a block are all of them.
 */
const harmless: readonly Unverified[] = ['leaf', 'root', 'stranger', 'header-only']
/** The only host has shown it at first, and in two readings after that. */
const aloneChecks = 2
const headerOnlyMs = 24 * hourMs

/**
 * Decides whether an unverified block is settled.
 * @param readings of that block, of this round. @param alike tells whether two readings show the same transfers to us.
 * @returns null: not yet.
 */
export function settlesAs(
  block: { why: Unverified; checks: number; ageMs: number },
  readings: readonly SolidBlock[],
  options: {
    hosts: number
    hostOf: (node: string) => string
    alike: (a: SolidBlock, b: SolidBlock) => boolean
  },
): 'verified' | 'agreed' | 'alone' | null {
  if (readings.some(({ unverified }) => unverified === null)) return 'verified'
  const { hosts, hostOf, alike } = options
  const full = readings.filter(({ unverified }) => unverified !== 'infos')
  const agreed = full.some((a, i) =>
    full.slice(i + 1).some(b => hostOf(a.node) !== hostOf(b.node) && alike(a, b)),
  )
  if (agreed) return 'agreed'
  const onlyHost = hosts <= 1 && full.length > 0 && harmless.includes(block.why)
  const isLongAsked = block.why !== 'header-only' || block.ageMs >= headerOnlyMs
  return onlyHost && isLongAsked && block.checks >= aloneChecks ? 'alone' : null
}

import { AssertionError } from 'node:assert'
import type { DepositAddressId } from '../base/ids.ts'
import { isPassingDatabaseError, isTimeout } from '../db/outage.ts'
import { run, type Tx } from '../db/pool.ts'
import { quarantineTransfer } from '../transfers/quarantine-store.ts'
import type { CreditRules } from './credit-rules.ts'
import { addressesOf, type Credited, creditTransfers } from './credit-transfers.ts'
import { waitingPlaces } from './pending-proof-store.ts'
import type { PendingTransfer } from './pending-transfer.ts'
import { takeTurns } from './take-turns.ts'

/**
 * Credits pending transfers as `creditTransfers` does, and quarantines those that fail for a lasting reason. Later transfers
 * at their addresses wait behind them, everything else is credited. It tries all at once, then halves down to the addresses
 * that fail, and there transfer by transfer.
 */
export async function creditCarefully(...work: Parameters<typeof creditTransfers>): Promise<Credited> {
  return await narrowDown(work, { isFinal: isLasting, groupMs: null, oneMs: null })
}

/** A statement about several transfers may take this long while they are narrowed down, and one about a single transfer. */
const groupMs = 3_000
const oneMs = 10_000

/**
 * Does the same, and also quarantines a transfer that cannot be credited in time, so that the cursor moves on whatever an
 * address has. A wait for a lock is not that: it fails before its time is up, with an error that passes. Nor is a database
 * that is slow for everybody, since the quarantine is then not written in time either.
 */
export async function creditInTime(...work: Parameters<typeof creditTransfers>): Promise<Credited> {
  const [tx] = work
  const isFinal = (error: unknown) => isLasting(error) || isTimeout(error)
  const credited = await narrowDown(work, { isFinal, groupMs, oneMs })
  await run(tx, 'set local statement_timeout to default; set local lock_timeout to default')
  return credited
}

/** Which failures quarantine a transfer, and how long a statement may take; null: as long as any other. */
interface Narrowing {
  isFinal: (error: unknown) => boolean
  groupMs: number | null
  oneMs: number | null
}

async function narrowDown(
  [tx, rules, pending, until]: Parameters<typeof creditTransfers>,
  narrowing: Narrowing,
): Promise<Credited> {
  const addresses = new Map<DepositAddressId, PendingTransfer[]>()
  for (const transfer of pending) {
    const others = addresses.get(transfer.depositAddressId)
    if (others) others.push(transfer)
    else addresses.set(transfer.depositAddressId, [transfer])
  }
  return await byHalves({ tx, rules, until, ...narrowing }, [...addresses.values()])
}

interface Crediting extends Narrowing {
  tx: Tx
  rules: CreditRules
  until: Date
}

async function byHalves(to: Crediting, addresses: readonly PendingTransfer[][]): Promise<Credited> {
  if (addresses.length === 0) return none
  const whole = await attempt(to, addresses.flat(), to.groupMs)
  if ('done' in whole) return whole.done
  if (addresses.length === 1) return await oneByOne(to, addresses[0]!)
  const half = addresses.length >> 1
  const first = await byHalves(to, addresses.slice(0, half))
  return sum(first, await byHalves(to, addresses.slice(half)))
}

async function oneByOne(to: Crediting, pending: readonly PendingTransfer[]): Promise<Credited> {
  const { tx, rules, until } = to
  let total = none
  const left = new Map(pending.map(transfer => [transfer.id, transfer]))
  const unproved = await waitingPlaces(tx, addressesOf(pending))
  for (const transfer of takeTurns(pending, unproved).free) {
    const one = await attempt(to, [transfer], to.oneMs)
    if ('done' in one) {
      total = sum(total, one.done)
      left.delete(transfer.id)
      continue
    }
    await quarantineTransfer(tx, transfer.id, lastingReason(one.failure))
    // If it has a row, the row has another reason and must be written again.
    left.set(transfer.id, { ...transfer, reason: 'quarantined', written: false })
    total = sum(total, { ...none, quarantined: 1 })
    break
  }
  // What is left is not credited: a quarantined or held transfer, and those after it.
  return sum(total, await creditTransfers(tx, rules, [...left.values()], until))
}

async function attempt(
  { tx, rules, until, isFinal }: Crediting,
  pending: readonly PendingTransfer[],
  statementMs: number | null,
): Promise<{ done: Credited } | { failure: unknown }> {
  // A wait for a lock ends first. These settings outlast the savepoint, since they are made before it.
  if (statementMs !== null) {
    await run(tx, `set local statement_timeout = ${statementMs}; set local lock_timeout = ${statementMs / 2}`)
  }
  await run(tx, 'savepoint crediting')
  try {
    const done = await creditTransfers(tx, rules, pending, until)
    await run(tx, 'release savepoint crediting')
    return { done }
  } catch (failure) {
    if (!isFinal(failure)) throw failure
    await run(tx, 'rollback to savepoint crediting')
    await run(tx, 'release savepoint crediting')
    return { failure }
  }
}

const none: Credited = { credits: 0, callbacks: 0, unclaimed: 0, held: 0, quarantined: 0 }

function sum(a: Credited, b: Credited): Credited {
  const deposits = (a.deposits ?? 0) + (b.deposits ?? 0)
  return {
    credits: a.credits + b.credits,
    ...(deposits > 0 && { deposits }),
    callbacks: a.callbacks + b.callbacks,
    unclaimed: a.unclaimed + b.unclaimed,
    held: a.held + b.held,
    quarantined: a.quarantined + b.quarantined,
  }
}

/** SQLSTATE classes 22 and 23: invalid data, violated constraint. */
const lastingStates = /^2[23]...$/

/**
 * Tells whether crediting the same would fail the same way again: the database refuses the data, or an assertion of ours
 * fails. Other errors are retried: those that pass by themselves, and those that are not about the transfer (a missing
 * column would quarantine every transfer).
 */
export function isLasting(error: unknown): boolean {
  if (error instanceof AssertionError) return true
  if (!(error instanceof Error) || isPassingDatabaseError(error)) return false
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && lastingStates.test(code)
}

/** Describes the error for the person who checks the quarantine. */
export function lastingReason(error: unknown): string {
  const { code, message } = error as Error & { code?: string }
  if (isTimeout(error)) return `it could not be credited in time: ${message}; it can be retried`
  return error instanceof AssertionError ? `our own rule does not hold: ${message}` : `${message} (${code})`
}

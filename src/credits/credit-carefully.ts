import { AssertionError } from 'node:assert'
import type { DepositAddressId } from '../base/ids.ts'
import { isPassingDatabaseError } from '../db/outage.ts'
import { run, type Tx } from '../db/pool.ts'
import { quarantineTransfer } from '../transfers/quarantine-store.ts'
import type { CreditRules } from './credit-rules.ts'
import { type Credited, creditTransfers } from './credit-transfers.ts'
import type { PendingTransfer } from './pending-transfer.ts'
import { takeTurns } from './take-turns.ts'

/**
 * Credits pending transfers as `creditTransfers` does, and quarantines those that fail for a lasting reason. Later transfers
 * at their addresses wait behind them, everything else is credited. It tries all at once, then halves down to the addresses
 * that fail, and there transfer by transfer.
 */
export async function creditCarefully(
  tx: Tx,
  rules: CreditRules,
  pending: readonly PendingTransfer[],
  until: Date,
): Promise<Credited> {
  const addresses = new Map<DepositAddressId, PendingTransfer[]>()
  for (const transfer of pending) {
    const others = addresses.get(transfer.depositAddressId)
    if (others) others.push(transfer)
    else addresses.set(transfer.depositAddressId, [transfer])
  }
  return await byHalves(tx, rules, [...addresses.values()], until)
}

async function byHalves(
  tx: Tx,
  rules: CreditRules,
  addresses: readonly PendingTransfer[][],
  until: Date,
): Promise<Credited> {
  if (addresses.length === 0) return none
  const whole = await attempt(tx, () => creditTransfers(tx, rules, addresses.flat(), until))
  if ('done' in whole) return whole.done
  if (addresses.length === 1) return await oneByOne(tx, rules, addresses[0]!, until)
  const half = addresses.length >> 1
  const first = await byHalves(tx, rules, addresses.slice(0, half), until)
  return sum(first, await byHalves(tx, rules, addresses.slice(half), until))
}

async function oneByOne(
  tx: Tx,
  rules: CreditRules,
  pending: readonly PendingTransfer[],
  until: Date,
): Promise<Credited> {
  let total = none
  const left = new Map(pending.map(transfer => [transfer.id, transfer]))
  for (const transfer of takeTurns(pending).free) {
    const one = await attempt(tx, () => creditTransfers(tx, rules, [transfer], until))
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
  tx: Tx,
  work: () => Promise<Credited>,
): Promise<{ done: Credited } | { failure: unknown }> {
  await run(tx, 'savepoint crediting')
  try {
    const done = await work()
    await run(tx, 'release savepoint crediting')
    return { done }
  } catch (failure) {
    if (!isLasting(failure)) throw failure
    await run(tx, 'rollback to savepoint crediting')
    await run(tx, 'release savepoint crediting')
    return { failure }
  }
}

const none: Credited = { credits: 0, callbacks: 0, unclaimed: 0, held: 0, quarantined: 0 }

function sum(a: Credited, b: Credited): Credited {
  return {
    credits: a.credits + b.credits,
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
  return error instanceof AssertionError ? `our own rule does not hold: ${message}` : `${message} (${code})`
}

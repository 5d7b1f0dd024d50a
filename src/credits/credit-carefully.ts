import { AssertionError } from 'node:assert'
import { isPassingDatabaseError } from '../db/outage.ts'
import type { Tx } from '../db/pool.ts'
import { quarantineTransfer } from '../transfers/quarantine-store.ts'
import type { CreditRules } from './credit-rules.ts'
import { type Credited, creditTransfers } from './credit-transfers.ts'
import { type PendingTransfer, takeTurns } from './take-turns.ts'

/**
 * As `creditTransfers`, and what cannot be credited for a lasting reason is parked: later ones on its address wait behind
 * it, everything else is credited. All is tried at once, then by halves down to the addresses that fail, and there
 * transfer by transfer.
 */
export async function creditCarefully(
  tx: Tx,
  rules: CreditRules,
  pending: readonly PendingTransfer[],
  until: Date,
): Promise<Credited> {
  const addresses = new Map<bigint, PendingTransfer[]>()
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
    // Its row, where it has one, says another reason: it is to be written.
    left.set(transfer.id, { ...transfer, reason: 'quarantined', written: false })
    total = sum(total, { ...none, quarantined: 1 })
    break
  }
  // What is left is not credited: one that was parked or held, and what comes after it.
  return sum(total, await creditTransfers(tx, rules, [...left.values()], until))
}

async function attempt(
  tx: Tx,
  work: () => Promise<Credited>,
): Promise<{ done: Credited } | { failure: unknown }> {
  await tx.query('savepoint crediting')
  try {
    const done = await work()
    await tx.query('release savepoint crediting')
    return { done }
  } catch (failure) {
    if (!isLasting(failure)) throw failure
    await tx.query('rollback to savepoint crediting')
    await tx.query('release savepoint crediting')
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

/** SQLSTATE classes 22 and 23: the data cannot be what it would have to be, or breaks a constraint. */
const lastingStates = /^2[23]...$/

/**
 * Whether crediting something would fail the same way again: the database refuses its data, or a rule of our own does
 * not hold. Everything else is tried again as it is: what passes by itself, and what is not about the transfer (a
 * missing column would park everything).
 */
export function isLasting(error: unknown): boolean {
  if (error instanceof AssertionError) return true
  if (!(error instanceof Error) || isPassingDatabaseError(error)) return false
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && lastingStates.test(code)
}

/** A sentence for whoever looks at what was parked. */
export function lastingReason(error: unknown): string {
  const { code, message } = error as Error & { code?: string }
  return error instanceof AssertionError ? `our own rule does not hold: ${message}` : `${message} (${code})`
}

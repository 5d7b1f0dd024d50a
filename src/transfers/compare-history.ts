import { type UsdtUnits, usdt } from '../base/money.ts'

/** A transfer as a second source knows it: without its position in the transaction's logs. */
export interface TransferFact {
  txid: string
  from: string
  to: string
  amount: UsdtUnits
  time: Date
}

/**
 * Compares two sources' transfers to an address, as multisets: two equal transfers in one transaction count twice.
 * @returns `missing`: in theirs and not in ours; `extra`: the other way round.
 */
export function compareHistory(
  theirs: readonly TransferFact[],
  ours: readonly TransferFact[],
): { missing: TransferFact[]; extra: TransferFact[] } {
  return { missing: without(theirs, ours), extra: without(ours, theirs) }
}

function without(facts: readonly TransferFact[], others: readonly TransferFact[]): TransferFact[] {
  const counts = new Map<string, number>()
  for (const other of others) counts.set(keyOf(other), (counts.get(keyOf(other)) ?? 0) + 1)
  return facts.filter(fact => {
    const left = counts.get(keyOf(fact)) ?? 0
    counts.set(keyOf(fact), left - 1)
    return left <= 0
  })
}

function keyOf({ txid, from, to, amount }: TransferFact): string {
  return `${txid} ${from} ${to} ${amount}`
}

/** Adds up amounts. */
export function sumOf(facts: readonly { amount: UsdtUnits }[]): UsdtUnits {
  return usdt(facts.reduce((sum, { amount }) => sum + amount, 0n))
}

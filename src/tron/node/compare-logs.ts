import type { UsdtUnits } from '../../base/money.ts'

/** A USDT transfer without its log index: sources that number their logs differently can still agree on it. */
export interface LogFact {
  txid: string
  /** 40 hex digits each. */
  fromHex: string
  toHex: string
  amount: UsdtUnits
}

/** `unknown`: the source shows no logs at all for a block with transfers, as nodes without an index do for any block. */
export interface LogComparison {
  verdict: 'agreed' | 'disagreed' | 'unknown'
  /** In the block, not in the logs. */
  missing: LogFact[]
  /** In the logs, not in the block. */
  extra: LogFact[]
}

/**
 * Compares a block's transfers with those of another source, as multisets. Zero amounts are ignored, since a block leaves
 * them out.
 * @param undone transactions that by the block did not succeed. One that ran out of time has kept its logs on some nodes and
 * not on others, both honest, so whichever side has them they say nothing.
 */
export function compareLogs(
  transfers: readonly LogFact[],
  logs: readonly LogFact[],
  undone: readonly string[] = [],
): LogComparison {
  const failed = new Set(undone)
  const counts = ({ amount, txid }: LogFact) => amount !== 0n && !failed.has(txid)
  const extra = new Map<string, LogFact[]>()
  for (const log of logs.filter(counts)) {
    const same = extra.get(keyOf(log))
    if (same) same.push(log)
    else extra.set(keyOf(log), [log])
  }
  const missing = transfers.filter(
    transfer => counts(transfer) && extra.get(keyOf(transfer))?.pop() === undefined,
  )
  const left = [...extra.values()].flat()
  if (logs.length === 0 && missing.length > 0) return { verdict: 'unknown', missing, extra: left }
  return { verdict: missing.length + left.length === 0 ? 'agreed' : 'disagreed', missing, extra: left }
}

function keyOf({ txid, fromHex, toHex, amount }: LogFact): string {
  return `${txid} ${fromHex} ${toHex} ${amount}`
}

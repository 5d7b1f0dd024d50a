/** A USDT transfer without its place, as sources that count their logs otherwise can still agree on it. */
export interface LogFact {
  txid: string
  /** 20 bytes each. */
  fromBytes: Buffer
  toBytes: Buffer
  amount: bigint
}

/** `unknown`: the source has nothing where there is something, which nodes without an index say of any block. */
export interface LogComparison {
  verdict: 'agreed' | 'disagreed' | 'unknown'
  /** In the block, not in the logs. */
  missing: LogFact[]
  /** In the logs, not in the block. */
  extra: LogFact[]
}

/**
 * Holds a block's transfers against another source's: the same ones, as often, in whatever order. Zero amounts, which a
 * block leaves out, do not count.
 * @param undone transactions that failed and kept their logs: eth_getLogs does not look at the result.
 */
export function compareLogs(
  transfers: readonly LogFact[],
  logs: readonly LogFact[],
  undone: readonly string[] = [],
): LogComparison {
  const extra = new Map<string, LogFact[]>()
  for (const log of logs) {
    if (log.amount === 0n || undone.includes(log.txid)) continue
    const same = extra.get(keyOf(log))
    if (same) same.push(log)
    else extra.set(keyOf(log), [log])
  }
  const missing = transfers.filter(
    transfer => transfer.amount !== 0n && extra.get(keyOf(transfer))?.pop() === undefined,
  )
  const left = [...extra.values()].flat()
  if (logs.length === 0 && missing.length > 0) return { verdict: 'unknown', missing, extra: left }
  return { verdict: missing.length + left.length === 0 ? 'agreed' : 'disagreed', missing, extra: left }
}

function keyOf({ txid, fromBytes, toBytes, amount }: LogFact): string {
  return `${txid} ${fromBytes.toString('hex')} ${toBytes.toString('hex')} ${amount}`
}

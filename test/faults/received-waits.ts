import type { Pool } from '../../src/db/pool.ts'
import type { Shop } from './shop.ts'

/**
 * Measures how long callbacks of these shops took to their endpoints, or have taken so far.
 * @param options.from from the transaction that credited, or from the time of the payment's block.
 * @param options.since those credited, or paid by a block, at this time or later.
 * @returns in ms, sorted.
 */
export async function waitsUntilReceived(
  pool: Pool,
  shops: readonly Shop[],
  options: { from: 'credit' | 'block'; since: number },
): Promise<number[]> {
  // The first of each key: the last to be set.
  const receivedAt = new Map(
    shops.flatMap(shop => shop.receipts.toReversed().map(({ key, at }) => [key, at] as const)),
  )
  const begun = options.from === 'credit' ? 'b.created_at' : 't.block_time'
  const { rows } = await pool.query<{ key: string; begunAt: Date }>(
    `select b.key, ${begun} as "begunAt"
       from callback b
       join merchant m on m.id = b.merchant_id
       join credit c on c.id = b.credit_id
       join transfer t on t.id = c.transfer_id
      where m.appid = any($1) and ${begun} >= $2`,
    [shops.map(shop => shop.appid), new Date(options.since)],
  )
  const now = Date.now()
  return rows
    .map(({ key, begunAt }) => (receivedAt.get(key) ?? now) - begunAt.getTime())
    .sort((a, b) => a - b)
}

/** @param share 0.99 for the 99th percentile. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? 0
}

import type { NetworkName } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import type { UsdtUnits } from '../base/money.ts'
import { type ChainPin, readCursor } from '../blocks/chain-store.ts'
import type { Queryable } from '../db/pool.ts'
import { networks } from '../tron/network.ts'

/** What crediting goes by, the same for whoever credits: following, releasing, rescanning, retrying. */
export interface CreditRules extends ChainPin {
  /** How much later than a block's time an order may have been created and still be paid by it. */
  graceMs: number
  /** Above it a transfer is held until a second node shows the same; null: never. */
  quorumAmount: UsdtUnits | null
}

/**
 * Holding transfers for a second node makes sense only where there is one: with a single node they would wait for ever.
 * @throws UsageError when CREDIT_QUORUM_AMOUNT is set and TRON_NODES names fewer than two nodes.
 */
export function checkQuorum(quorumAmount: UsdtUnits | null, nodes: number): void {
  if (quorumAmount === null || nodes >= 2) return
  throw new UsageError(
    `CREDIT_QUORUM_AMOUNT is set, so a second node has to confirm large transfers, but TRON_NODES names ${nodes}: ` +
      'name another node, or leave CREDIT_QUORUM_AMOUNT empty',
  )
}

/**
 * The rules of the chain a database is pinned to.
 * @throws UsageError before the first start, when it is pinned to none.
 */
export async function readRules(db: Queryable, quorumAmount: UsdtUnits | null): Promise<CreditRules> {
  const cursor = await readCursor(db)
  if (!cursor) throw new UsageError('nothing is watched yet: run `gateway start watcher` first')
  const { network, genesisId, usdtContract } = cursor
  return { network, genesisId, usdtContract, graceMs: networks[network as NetworkName].graceMs, quorumAmount }
}

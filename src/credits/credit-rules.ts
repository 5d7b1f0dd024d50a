import type { NetworkName } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import type { UsdtUnits } from '../base/money.ts'
import { type ChainPin, readCursor } from '../blocks/chain-store.ts'
import type { Queryable } from '../db/pool.ts'
import { networks } from '../tron/network.ts'
import type { ProofRules } from './proof-policy.ts'

/** The rules of crediting. Following, releasing, rescanning and retrying use the same ones. */
export interface CreditRules extends ChainPin {
  /** How much later than a block's time an order may have been created and still be paid by it. */
  graceMs: number
  /** Above it a transfer is held until a second node shows the same; null: never. */
  quorumAmount: UsdtUnits | null
  /** On what a transfer is credited; undefined: as with one host and nothing else said. */
  proof?: ProofRules | undefined
}

/**
 * Checks that there is a second node if transfers are to be held for one: with a single node they would never be credited.
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
 * Reads the rules for the chain that the database is bound to.
 * @throws UsageError before the first start, when it is bound to none.
 */
export async function readRules(db: Queryable, quorumAmount: UsdtUnits | null): Promise<CreditRules> {
  const cursor = await readCursor(db)
  if (!cursor) throw new UsageError('nothing is watched yet: run `gateway start watcher` first')
  const { network, genesisId, usdtContract } = cursor
  return { network, genesisId, usdtContract, graceMs: networks[network as NetworkName].graceMs, quorumAmount }
}

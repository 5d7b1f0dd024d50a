import { UsageError } from '../base/errors.ts'
import { addProducers, readProducers } from '../blocks/producer-store.ts'
import { recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool } from '../db/pool.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import type { Decision } from './decision.ts'

/**
 * Believes the hosts' word for who produces blocks, on an operator's word, with an audit event. A watcher believes a single host
 * once; an operator may do so again, when too many producers are others than those that are known.
 * @returns how many are new or have new keys, and how many are known then.
 * @throws UsageError when most of the hosts do not name any.
 */
export async function believeProducers(
  pool: Pool,
  nodes: Pick<NodePool, 'producers'>,
  decision: Decision,
): Promise<{ added: number; known: number }> {
  const named = await nodes.producers()
  if (!named) throw new UsageError('the nodes do not name the producers, or do not agree on them')
  const before = await readProducers(pool)
  const found = new Map(
    [...named].filter(([producer, signers]) => {
      const known = before.get(producer) ?? []
      return signers.some(signer => !known.includes(signer))
    }),
  )
  await inTransaction(pool, async tx => {
    await addProducers(tx, found, 'hosts')
    const detail = { producers: [...found.keys()] }
    await recordAudit(tx, { ...decision, action: 'chain.producers', subject: 'chain', detail })
  })
  return { added: found.size, known: (await readProducers(pool)).size }
}

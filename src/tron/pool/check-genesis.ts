import { UsageError } from '../../base/errors.ts'
import type { NodeError } from '../node/node-error.ts'
import type { ChainIdentity, PooledNode } from './pooled-node.ts'

/**
 * Asks every node for its genesis block and stores the genesis id in `chain`. If the chain is not known yet, the nodes have
 * to agree on one.
 * @throws UsageError naming the nodes of another chain, or those whose URLs can never serve; NodeError when none can be
 * reached.
 */
export async function checkGenesis(nodes: readonly PooledNode[], chain: ChainIdentity): Promise<string> {
  const answers = await Promise.allSettled(nodes.map(node => node.genesisId()))
  const found = nodes.flatMap((node, i) => {
    const answer = answers[i]!
    return answer.status === 'fulfilled' ? [{ node, genesisId: answer.value }] : []
  })
  const failures = answers.flatMap(answer =>
    answer.status === 'rejected' ? [answer.reason as NodeError] : [],
  )
  const wrongSettings = failures.filter(({ wrongSetting }) => wrongSetting)
  if (wrongSettings.length > 0)
    throw new UsageError(wrongSettings.map(({ message }) => `TRON_NODES: ${message}`))
  if (found.length === 0) throw worst(answers)
  const [first] = found
  const expected = chain.genesisId ?? first!.genesisId
  const wrong = found.filter(({ genesisId }) => genesisId !== expected)
  if (wrong.length > 0) {
    const known =
      chain.genesisId === null ? `${first!.node.name} the one with ${expected}` : `it should be ${expected}`
    throw new UsageError(
      wrong.map(
        ({ node, genesisId }) =>
          `TRON_NODES: ${node.name} serves the chain with genesis ${genesisId}, ${known}`,
      ),
    )
  }
  chain.genesisId = expected
  return expected
}

/** Picks the error to throw when no node was reached: `later` only when all of them ask to wait. */
function worst(answers: readonly PromiseSettledResult<unknown>[]): NodeError {
  const errors = answers.map(answer => (answer as PromiseRejectedResult).reason as NodeError)
  const [first] = errors.sort((a, b) => Number(a.kind === 'later') - Number(b.kind === 'later'))
  return first!
}

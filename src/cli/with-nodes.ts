import type { Config, NetworkName } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import type { CreditRules } from '../credits/credit-rules.ts'
import { parseTronAddress } from '../tron/address.ts'
import { networks } from '../tron/network.ts'
import { createNodePool, type NodePool } from '../tron/pool/node-pool.ts'

/**
 * Opens the configured nodes for one command, and checks that they serve the chain the database is bound to. They are asked
 * at half the configured rate, because a running watcher needs the other half.
 * @throws UsageError when a node serves another chain.
 */
export async function withNodes<T>(
  config: Config,
  rules: CreditRules,
  work: (nodes: NodePool) => Promise<T>,
): Promise<T> {
  const usdtContract = parseTronAddress(rules.usdtContract)
  if (!usdtContract)
    throw new UsageError(`the database is bound to ${rules.usdtContract}, which is not an address`)
  const { pacing } = networks[rules.network as NetworkName]
  const nodes = createNodePool({
    nodes: config.tronNodes,
    apiKey: config.trongridApiKey,
    usdtContract,
    genesisId: rules.genesisId,
    requestsPerSecond: Math.max(1, (config.nodeRequestsPerSecond ?? pacing.requestsPerSecond) / 2),
    log: createLog('error', 'command'),
  })
  try {
    await nodes.genesisId()
    return await work(nodes)
  } finally {
    await nodes.close()
  }
}

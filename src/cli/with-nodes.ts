import type { Config } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import type { CreditRules } from '../credits/credit-rules.ts'
import { parseTronAddress } from '../tron/address.ts'
import { networks } from '../tron/network.ts'
import { createNodePool, type NodePool } from '../tron/pool/node-pool.ts'

/** Requests a second to each node where none are configured; a watcher may be using the same ones. */
const requestsPerSecond = { public: 10, own: 1_000 }

/**
 * Opens the configured nodes for one command's work, checked against the chain the database is pinned to. They are asked
 * at half the configured rate: a watcher beside us needs the other half.
 * @throws UsageError when a node serves another chain.
 */
export async function withNodes<T>(
  config: Config,
  rules: CreditRules,
  work: (nodes: NodePool) => Promise<T>,
): Promise<T> {
  const usdtContract = parseTronAddress(rules.usdtContract)
  if (!usdtContract)
    throw new UsageError(`the database is pinned to ${rules.usdtContract}, which is no address`)
  const kind = networks[rules.network as keyof typeof networks].genesisId === null ? 'own' : 'public'
  const nodes = createNodePool({
    nodes: config.tronNodes,
    apiKey: config.trongridApiKey,
    usdtContract,
    genesisId: rules.genesisId,
    requestsPerSecond: Math.max(1, (config.nodeRequestsPerSecond ?? requestsPerSecond[kind]) / 2),
    log: createLog('error', 'command'),
  })
  try {
    await nodes.genesisId()
    return await work(nodes)
  } finally {
    await nodes.close()
  }
}

import type { Config, NetworkName } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import type { CreditRules } from '../credits/credit-rules.ts'
import { type ProofRules, proofRules } from '../credits/proof-policy.ts'
import { parseTronAddress } from '../tron/address.ts'
import { networks } from '../tron/network.ts'
import { hostOf } from '../tron/pool/node-host.ts'
import { createNodePool, type NodePool } from '../tron/pool/node-pool.ts'

/**
 * Opens the configured nodes for one command, and checks that they serve the chain the database is bound to. They are asked
 * at half the configured rate, because a running watcher needs the other half.
 * @param work gets the rules with the nodes' hosts.
 * @throws UsageError when a node serves another chain.
 */
export async function withNodes<T>(
  config: Config,
  rules: CreditRules,
  work: (nodes: NodePool, rules: CreditRules) => Promise<T>,
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
    portsAreHosts: portsAreHosts(rules.network),
    log: createLog('error', 'command'),
  })
  try {
    await nodes.genesisId()
    return await work(nodes, { ...rules, proof: proofRules(nodes, config.creditAloneAmount) })
  } finally {
    await nodes.close()
  }
}

/**
 * Makes the proof rules of a command that asks no node. Without TRON_NODES it does not know how many hosts there are, and believes
 * none alone.
 */
export function proofRulesOf(config: Config, network: string): ProofRules {
  const ports = portsAreHosts(network)
  const hosts = new Set(config.tronNodes.map(({ headUrl }) => hostOf(headUrl, ports)))
  const nodes = {
    hosts: hosts.size === 0 ? ['unknown', 'unknown'] : [...hosts],
    hostOf: (node: string) => node,
  }
  return proofRules(nodes, config.creditAloneAmount)
}

/** On a private or sandbox chain the nodes may be on one machine. */
function portsAreHosts(network: string): boolean {
  return network === 'private' || network === 'sandbox'
}

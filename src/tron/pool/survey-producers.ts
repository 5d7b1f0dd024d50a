import { isNotOffered } from '../node/node-error.ts'
import type { ProducerKeys } from '../verify/block-producer.ts'
import type { PooledNode } from './pooled-node.ts'

/**
 * Asks every host for the producers and their keys.
 * @param hosts the nodes of each host.
 * @returns those that more than half of the hosts name, and at least two where there are several, each with the keys that these
 * hosts agree on. Hosts that do not offer the call are not counted. null while there is none.
 */
export async function surveyProducers(
  hosts: readonly (readonly PooledNode[])[],
): Promise<ProducerKeys | null> {
  const answers = await Promise.all(hosts.map(askHost))
  const counted = answers.filter(answer => answer !== 'not offered')
  const votes = new Map<string, { producer: string; signers: readonly string[]; hosts: number }>()
  for (const answer of counted) {
    for (const [producer, signers] of answer ?? []) {
      const key = [producer, ...[...signers].sort()].join(' ')
      const vote = votes.get(key) ?? { producer, signers, hosts: 0 }
      vote.hosts++
      votes.set(key, vote)
    }
  }
  // One host alone must not name them for the others, which may only seem not to offer the call.
  const needed = Math.min(2, hosts.length)
  const agreed = [...votes.values()].filter(vote => vote.hosts > counted.length / 2 && vote.hosts >= needed)
  return agreed.length > 0 ? new Map(agreed.map(({ producer, signers }) => [producer, signers])) : null
}

/** @returns null when none of the host's nodes answers. */
async function askHost(nodes: readonly PooledNode[]): Promise<ProducerKeys | 'not offered' | null> {
  let found: 'not offered' | null = null
  for (const node of nodes) {
    try {
      return await node.ask(one => one.producers())
    } catch (error) {
      // A failure is recorded with the node.
      if (isNotOffered(error)) found = 'not offered'
    }
  }
  return found
}

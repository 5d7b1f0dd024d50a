import type { SandboxChain } from '../../src/sandbox/chain/sandbox-chain.ts'
import type { SeededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import { callResults } from '../../src/sandbox/chain/transaction-facts.ts'
import type { Fault } from '../../src/sandbox/faults/fault-schemas.ts'
import type { TronAddress } from '../../src/tron/address.ts'

/**
 * A fault that whoever reads one node alone can notice or wait out: refusals, answers that are none or do not fit, a
 * node that is behind. None of them takes longer than some milliseconds a call.
 */
export function passingFault(random: SeededRandom): Fault {
  const infos = '/walletsolidity/gettransactioninfobyblocknum'
  const fault = random.pick<Fault>([
    { kind: 'too-many-requests', seconds: 0 },
    { kind: 'key-suspended', seconds: 0 },
    { kind: 'unavailable' },
    { kind: 'no-resources' },
    { kind: 'html', status: random.pick([200, 502]) },
    { kind: 'empty' },
    { kind: 'empty', paths: [infos] },
    { kind: 'info-missing' },
    { kind: 'infos-late', calls: random.whole(1, 2) },
    { kind: 'wrong-number', offset: random.pick([-1, 1]) },
    { kind: 'wrong-parent' },
    { kind: 'truncated' },
    { kind: 'reset' },
    { kind: 'delay', ms: random.whole(1, 3) },
    { kind: 'logs-empty' },
    { kind: 'lag', blocks: random.whole(1, 4), view: random.pick(['head', 'solid']) },
    { kind: 'backwards', blocks: random.whole(1, 3) },
    { kind: 'stall' },
    { kind: 'other-branch', depth: random.whole(1, 3), view: 'head' },
  ])
  // Infos late by a call are so for every block: as long as it is set, each costs that call.
  return random.chance(0.3)
    ? { ...fault, probability: random.pick([0.2, 0.5]), times: random.whole(1, 10) }
    : { ...fault, times: random.whole(1, 6) }
}

/**
 * A lie: blocks that are not the chain's, whose infos fit. Some only another node shows; others have a root, a signature or a
 * link that does not hold. None is on a block that was solidified before.
 */
export function lyingFault(
  random: SeededRandom,
  chain: SandboxChain,
  addresses: readonly TronAddress[],
): Fault {
  const from = chain.solid.height + 1
  const heights = { from, to: from + random.whole(0, 4) }
  const amount = `${random.whole(1, 1_000)}`
  const signed = random.pick(['kept', 'unsigned', 'stranger', 'impostor', 'producer'] as const)
  const by = signed === 'kept' ? 'producer' : signed
  const call = random.chance(0.5)
  const result = random.pick(callResults)
  const lies: Fault[] = [
    { kind: 'other-hash', heights, signed },
    { kind: 'other-branch', depth: random.whole(1, chain.head.height - chain.solid.height + 2) },
    { kind: 'forged-amount', amount, heights, call, signed },
    { kind: 'hidden-log', heights },
    { kind: 'false-result', result, heights, signed },
    { kind: 'false-result', result, heights, where: random.pick(['block', 'info']) },
    { kind: 'header-only', heights },
    { kind: 'withheld-block', heights },
    { kind: 'replayed-block', blocks: random.whole(1, 5), heights, signed },
    { kind: 'false-head', blocks: random.whole(1, 1_000), signed: by },
    { kind: 'made-up-block', signed: by },
  ]
  if (addresses.length > 0) {
    lies.push(
      { kind: 'forged-transfer', to: random.pick(addresses), amount, heights, signed },
      { kind: 'forged-log', to: random.pick(addresses), amount, heights },
      { kind: 'forged-recipient', to: random.pick(addresses), heights, call, signed },
      { kind: 'hidden-transaction', to: random.pick(addresses), heights, signed },
      { kind: 'hidden-log', to: random.pick(addresses), heights },
      { kind: 'withheld-block', to: random.pick(addresses), heights },
      { kind: 'made-up-block', signed: by, to: random.pick(addresses), amount },
      { kind: 'made-up-block', signed: by, to: random.pick(addresses), amount, heights },
    )
  }
  return random.pick(lies)
}

import type { SeededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import type { Fault } from '../../src/sandbox/faults/fault-schemas.ts'

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

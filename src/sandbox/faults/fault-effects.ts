import type { Clock } from '../../base/clock.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import {
  balanceOff,
  delay,
  drip,
  empty,
  hang,
  infoMissing,
  infosLate,
  logsEmpty,
  oversized,
  reset,
  truncated,
  wrongNumber,
} from './answer-effects.ts'
import { headerOnly, hiddenTransaction, otherHash, withheldBlock, wrongParent } from './block-effects.ts'
import type { Effect } from './fault-effect.ts'
import type { Fault, FaultKind, FaultOf } from './fault-schemas.ts'
import { rowsLate, rowsMissing, rowsTwice } from './grid-effects.ts'
import { backwards, lag, stall } from './height-effects.ts'
import { falseHead, falseProducers, madeUpBlock, replayedBlock } from './made-up-blocks.ts'
import { otherBranch } from './other-branch.ts'
import { limitRate, refuse, unprintable } from './refusal-effects.ts'
import {
  falseResult,
  forgedAmount,
  forgedLog,
  forgedRecipient,
  forgedTransfer,
  hiddenLog,
} from './transfer-effects.ts'

interface FaultContext {
  chain: SandboxChain
  clock: Clock
}

const makers: { [K in FaultKind]: (fault: FaultOf<K>, context: FaultContext) => Effect } = {
  lag,
  stall: (fault, { chain }) => stall(fault, { head: chain.head.height, solid: chain.solid.height }),
  backwards,
  'other-branch': (fault, { chain }) => otherBranch(fault, chain),
  'other-hash': otherHash,
  'wrong-parent': wrongParent,
  'forged-transfer': forgedTransfer,
  'forged-log': forgedLog,
  'forged-amount': forgedAmount,
  'forged-recipient': forgedRecipient,
  'hidden-transaction': hiddenTransaction,
  'hidden-log': hiddenLog,
  'false-result': falseResult,
  'header-only': headerOnly,
  'withheld-block': withheldBlock,
  'replayed-block': (fault, { chain }) => replayedBlock(fault, chain),
  'made-up-block': (fault, { chain }) => madeUpBlock(fault, chain),
  'false-producers': falseProducers,
  'false-head': (fault, { chain }) => falseHead(fault, chain),
  'too-many-requests': refuse,
  'key-suspended': refuse,
  'rate-limit': (fault, { clock }) => limitRate(fault, clock),
  unavailable: refuse,
  'no-resources': refuse,
  disabled: refuse,
  'not-offered': refuse,
  'lite-node': refuse,
  unprintable,
  html: refuse,
  hang,
  reset,
  empty,
  'info-missing': infoMissing,
  'infos-late': infosLate,
  'wrong-number': wrongNumber,
  truncated,
  delay,
  drip,
  oversized,
  'logs-empty': logsEmpty,
  'balance-off': balanceOff,
  'rows-twice': rowsTwice,
  'rows-missing': rowsMissing,
  'rows-late': rowsLate,
  'page-empty': () => ({ page: 'empty' }),
  'page-last': () => ({ page: 'last' }),
}

/** Makes the effect of a fault that is set now. @throws SandboxRefusal when its address or amount cannot be read. */
export function makeEffect(fault: Fault, context: FaultContext): Effect {
  const make = makers[fault.kind] as (fault: Fault, context: FaultContext) => Effect
  return make(fault, context)
}

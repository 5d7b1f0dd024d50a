import { hash } from 'node:crypto'
import { heightHex } from '../../tron/block-id.ts'
import { readAddress, readAmount } from '../chain/control-texts.ts'
import { producersDefault } from '../chain/producers.ts'
import { childBlock, type SandboxBlock } from '../chain/sandbox-block.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'
import { onceEach, resignBlock, strangers } from './resign-block.ts'
import { forgedPayment } from './transfer-effects.ts'

// Blocks that nobody made. Each is right in itself: root, id and parent.

/**
 * Shows one block more than there is, on top of the newest one of the view that is asked. With `heights`, the blocks there are
 * replaced instead, linked to the one below, and to each other.
 */
export function madeUpBlock(fault: FaultOf<'made-up-block'>, chain: SandboxChain): Effect {
  const payment =
    fault.to === undefined
      ? null
      : { to: readAddress('to', fault.to), amount: readAmount(fault.amount ?? '1') }
  const madeOn = (parent: SandboxBlock): SandboxBlock => {
    const timeMs = parent.timeMs + chain.blockIntervalMs
    const transactions = payment
      ? [forgedPayment({ timeMs, header: { parentHash: parent.id } }, payment)]
      : []
    const { elected } = parent
    const block = childBlock(parent, { timeMs, producer: elected.at(-1)!, elected, transactions })
    return resignBlock(block, fault.signed)
  }
  const onTop = onceEach(madeOn)
  const { heights } = fault
  if (!heights) return { onTop: newest => [onTop(newest)] }
  /** By the block that each replaces. */
  const made = new WeakMap<SandboxBlock, SandboxBlock>()
  const inPlace = (block: SandboxBlock): SandboxBlock => {
    const missing: SandboxBlock[] = []
    let below: SandboxBlock | undefined = block
    while (below && below.height >= Math.max(1, heights.from) && !made.has(below)) {
      missing.push(below)
      below = chain.block(below.height - 1)
    }
    if (!below) return block
    let parent = made.get(below) ?? below
    for (const replaced of missing.reverse()) {
      parent = madeOn(parent)
      made.set(replaced, parent)
    }
    return parent
  }
  return { block: inPlace }
}

/** Shows strangers as the elected producers. Blocks that are signed by a `stranger` are by the first of them. */
export function falseProducers(): Effect {
  const keys = strangers(producersDefault)
  return {
    elected: elected =>
      elected.map((producer, n) => {
        const signer = keys[n % keys.length]!
        return { ...producer, address: signer.address, signer, hasPermission: false }
      }),
  }
}

/** Names a head that is so many blocks above the newest block, and has none of the blocks up to it. */
export function falseHead({ blocks, signed }: FaultOf<'false-head'>, chain: SandboxChain): Effect {
  const made = onceEach((newest: SandboxBlock) => {
    const height = newest.height + blocks - 1
    const id = heightHex(height) + hash('sha256', `false ${newest.id}`, 'hex').slice(16)
    const timeMs = newest.timeMs + (blocks - 1) * chain.blockIntervalMs
    const { elected } = newest
    const below = { ...newest, height, id, timeMs }
    const block = { timeMs: timeMs + chain.blockIntervalMs, producer: elected[0]!, elected, transactions: [] }
    return resignBlock(childBlock(below, block), signed)
  })
  return { newest: made }
}

/**
 * Shows the transactions of a block so many heights below again, in a block of this height. The signature is the old block's,
 * unless `signed` says otherwise.
 */
export function replayedBlock({ blocks, signed }: FaultOf<'replayed-block'>, chain: SandboxChain): Effect {
  return {
    block: onceEach(block => {
      const old = chain.block(block.height - blocks)
      const parent = chain.block(block.height - 1)
      if (!old || !parent || old.height === 0) return block
      const { timeMs, elected } = block
      const producer = elected[0]!
      const made = childBlock(parent, { timeMs, producer, elected, transactions: old.transactions })
      return resignBlock({ ...made, signature: old.signature }, signed)
    }),
  }
}

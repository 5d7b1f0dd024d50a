import { type SandboxBlock, signedBlock, withHeader } from '../chain/sandbox-block.ts'
import { type SigningKey, signingKeys } from '../chain/signing-key.ts'
import { transactionsRoot } from '../chain/transaction-bytes.ts'
import type { FaultOf } from './fault-schemas.ts'

/** Whose signature a changed block has. See fault-schemas.ts. */
export type Signed = FaultOf<'other-hash'>['signed']

/** Keys that belong to no producer. The first one signs. */
export const strangers = (count: number): SigningKey[] => signingKeys('sandbox stranger', count)
let stranger: SigningKey | undefined

/** Gives a changed block the header and the signature that its lie says. @param block with the header of before. */
export function resignBlock(block: SandboxBlock, signed: Signed): SandboxBlock {
  if (signed === undefined || signed === 'kept') return block
  stranger ??= strangers(1)[0]!
  const colluding = block.elected[0]!
  const key = signed === 'producer' ? colluding.signer : stranger
  const { transactions } = block
  const rooted = withHeader(block, {
    ...(block.height > 0 && { txTrieRoot: transactionsRoot(transactions) }),
    ...(signed === 'producer' && { witness_address: colluding.address }),
    ...(signed === 'stranger' && { witness_address: stranger.address }),
  })
  return signed === 'unsigned' ? { ...rooted, signature: '' } : signedBlock(rooted, key)
}

/**
 * Makes a change of blocks cheap to repeat: a block is asked for several times, and is one object as long as it is on the
 * chain. Made once for each, a made-up block also is the same at each call.
 */
export function onceEach<T>(change: (block: SandboxBlock) => T): (block: SandboxBlock) => T {
  const changed = new WeakMap<SandboxBlock, T>()
  return block => {
    const known = changed.get(block)
    if (known !== undefined) return known
    const made = change(block)
    changed.set(block, made)
    return made
  }
}

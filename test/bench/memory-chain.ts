import { hash } from 'node:crypto'
import { type SigningKey, sign, signingKeys } from '../../src/sandbox/chain/signing-key.ts'
import { idOfHeaderBytes } from '../../src/tron/block-id.ts'
import { encodeProtobuf } from '../../src/tron/protobuf.ts'
import {
  headerRaw,
  rawData,
  transaction,
  transferData,
  triggerMessage,
} from '../tron/verify/block-messages.ts'

// A chain whose blocks are verified: ids, roots over whole transactions, parents, and the signatures of 27 producers in turn.
// All of it is known before a measurement starts: what the bench's node spends is missing on the side that is measured.
//
// ours: transfers to assigned addresses, the first of each block, other ones in every block.
// strangers: the others. Nothing of them is stored, so the same blocks of them come again after a while.

export const transfersPerBlock = 200
export const oursPerBlock = 2
/** Assigned addresses that are paid, each again and again; the rest are only watched. */
export const paidAddresses = 1000
/** On top of a block that is counted solid: 19 different producers have made it or a block after it. */
export const solidDepth = 18
/** Eight digits, and four bytes, as every height after it: widths do not change. */
export const firstHeight = 10_000_000
export const firstTimeMs = 1_767_225_600_000
const producerCount = 27
/** After so many blocks the strangers come again: 65 340 recipients. */
const cycleMax = 330
/** So many of the last ones are kept: an operator's catch-up asks for a few hundred at a time. */
const madeMax = 1_000
/** Base units of each transfer. */
export const transferUnits = 1_000_000n

/** A direct transfer of the token. */
export interface MemoryTransfer {
  to: Buffer
  rawData: Buffer
  /** The whole transaction. */
  bytes: Buffer
  txid: string
}

export interface MemoryBlock {
  height: number
  id: string
  parentHash: string
  root: string
  producer: string
  timeMs: number
  /** Protobuf of the header's `raw_data`. */
  raw: Buffer
  signature: Buffer
  ours: MemoryTransfer[]
  /** Which of the chain's `strangers` come after ours. */
  cycle: number
}

export interface MemoryChain {
  /** Its newest block, `solidDepth` above the last that can be followed. */
  head: number
  producers: readonly SigningKey[]
  strangers: readonly (readonly MemoryTransfer[])[]
  block(height: number): MemoryBlock
}

/** Makes the chain from `firstHeight` on. @param blocks to follow after the first one. */
export function makeMemoryChain(blocks: number): MemoryChain {
  const producers = signingKeys('memory chain', producerCount)
  const head = firstHeight + blocks + solidDepth
  const strangers = Array.from({ length: Math.min(cycleMax, blocks) }, (_, n) => strangersOf(n))
  const siblings = strangers.map(siblingsOf)
  const ids = ['00'.repeat(32)]
  const roots: string[] = []
  const header = (height: number) => {
    const n = height - firstHeight
    const parts = {
      height,
      parentHash: ids[n]!,
      root: roots[n]!,
      producer: producers[n % producerCount]!.address,
      timeMs: firstTimeMs + n * 3_000,
    }
    return { ...parts, raw: headerRaw({ ...parts, transactions: [] }) }
  }
  for (let height = firstHeight; height <= head; height++) {
    const n = height - firstHeight
    roots.push(rootOf(oursOf(n), siblings[n % strangers.length]!))
    ids.push(idOfHeaderBytes(height, header(height).raw))
  }
  // A block is asked for twice, once for its infos.
  const made = new Map<number, MemoryBlock>()
  return {
    head,
    producers,
    strangers,
    block(height) {
      const known = made.get(height)
      if (known) return known
      const block = makeBlock(height)
      if (made.size === madeMax) made.clear()
      made.set(height, block)
      return block
    },
  }

  function makeBlock(height: number): MemoryBlock {
    const n = height - firstHeight
    const parts = header(height)
    const signature = sign(producers[n % producerCount]!.secret, hash('sha256', parts.raw, 'buffer'))
    return {
      ...parts,
      id: ids[n + 1]!,
      signature: Buffer.from(signature, 'hex'),
      ours: oursOf(n),
      cycle: n % strangers.length,
    }
  }
}

/** The n-th assigned address, as the bench's SQL makes it: the first 20 bytes of SHA-256 of its number. */
function assigned(n: number): Buffer {
  return hash('sha256', `${n}`, 'buffer').subarray(0, 20)
}

function oursOf(n: number): MemoryTransfer[] {
  const first = n * oursPerBlock
  return Array.from({ length: oursPerBlock }, (_, i) =>
    transferTo(assigned((first + i) % paidAddresses), firstTimeMs + first + i),
  )
}

function strangersOf(cycle: number): MemoryTransfer[] {
  const count = transfersPerBlock - oursPerBlock
  return Array.from({ length: count }, (_, i) => {
    const to = hash('sha256', `stranger ${cycle * count + i}`, 'buffer').subarray(0, 20)
    return transferTo(to, firstTimeMs)
  })
}

const anybody = Buffer.alloc(20, 0xee)
const template = rawData(triggerMessage(transferData(anybody, transferUnits)))
const recipientAt = template.indexOf(anybody)
const timestampAt = template.indexOf(encodeProtobuf([[14, 1_767_999_940_000]]))

/** @param timestampMs makes the id another one. */
function transferTo(to: Buffer, timestampMs: number): MemoryTransfer {
  const raw = Buffer.from(template)
  to.copy(raw, recipientAt)
  encodeProtobuf([[14, timestampMs]]).copy(raw, timestampAt)
  return { to, rawData: raw, bytes: transaction(raw), txid: hash('sha256', raw, 'hex') }
}

/** Computes what the two leaves of ours are hashed with on their way up to the root. */
function siblingsOf(strangers: readonly MemoryTransfer[]): Buffer[] {
  // Whatever is under the first node of each level, its neighbour is of strangers alone.
  let level = [Buffer.alloc(32), Buffer.alloc(32), ...strangers.map(({ bytes }) => leafOf(bytes))]
  const siblings: Buffer[] = []
  for (;;) {
    level = level.flatMap((node, i) => {
      if (i % 2 === 1) return []
      return i + 1 < level.length ? [parentOf(node, level[i + 1]!)] : [node]
    })
    if (level.length === 1) return siblings
    siblings.push(level[1]!)
  }
}

function rootOf(ours: readonly MemoryTransfer[], siblings: readonly Buffer[]): string {
  const [left, right] = ours.map(({ bytes }) => leafOf(bytes))
  return siblings.reduce(parentOf, parentOf(left!, right!)).toString('hex')
}

function leafOf(bytes: Buffer): Buffer {
  return hash('sha256', bytes, 'buffer')
}

function parentOf(left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([left, right]), 'buffer')
}

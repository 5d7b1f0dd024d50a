import type { Logger } from '../base/log.ts'
import type { BlockRef, Unverified } from '../tron/block.ts'
import type { ReadBlock } from '../tron/node/solid-block.ts'
import type { SentHeader } from '../tron/verify/sent-block.ts'
import { SolidCount, type SolidRef } from '../tron/verify/solid-count.ts'
import { UnlinkedBlock } from './fetch-blocks.ts'
import type { IdRange } from './id-range.ts'
import type { KnownProducers } from './known-producers.ts'

// window: the blocks from the cursor up to the head, read once: for crediting when they are solid, and for display before.
// tip: the last block of the branch that is being read.    solid: counted, by different known producers that built on it.
// proven: known by its id to be an ancestor of a block that is counted solid at the head.

/** A block of the window. Its header is kept only where its producer may have to be learned. */
interface KeptBlock extends ReadBlock {
  header: SentHeader | null
  /** The known producer that signed it; null when none did. */
  producer: string | null
}

/** The most blocks that are kept when none becomes solid. */
const keptMax = 1_000
/** Fewer blocks between two of one producer than this, and somebody makes blocks out of turn: 19 of 27 are at work at least. */
const turnMin = 19

/** The blocks above the cursor, and which of them are solid. */
export class ChainWindow {
  #cursor: BlockRef
  #tip: BlockRef
  #count: SolidCount
  #proven: IdRange | null = null
  readonly #blocks = new Map<string, KeptBlock>()
  /** Suspects that several nodes show. */
  readonly #confirmed = new Set<string>()
  /** The ids of the solid blocks above the cursor, by height. */
  readonly #path = new Map<number, string>()
  readonly #producers: KnownProducers
  readonly #log: Logger

  /** @param cursor the last recorded block. */
  constructor(cursor: BlockRef, producers: KnownProducers, log: Logger) {
    this.#cursor = refOf(cursor)
    this.#tip = this.#cursor
    this.#count = new SolidCount(countedRef(cursor))
    this.#producers = producers
    this.#log = log
  }

  get cursor(): BlockRef {
    return this.#cursor
  }

  get tip(): BlockRef {
    return this.#tip
  }

  /** The highest block that is counted solid; the cursor when none above it is. */
  get solid(): SolidRef {
    return this.#count.solid
  }

  /** How many blocks are kept, with those beside the branch. */
  get size(): number {
    return this.#blocks.size
  }

  /** Returns a solid block above the cursor; null while there is none at that height. */
  solidBlock(height: number): ReadBlock | null {
    const id = this.#path.get(height)
    return (id !== undefined && this.#blocks.get(id)) || null
  }

  /** Returns the blocks from the solid one up to the tip, lowest first. They may still be replaced. */
  branch(): ReadBlock[] {
    return this.#branch()
  }

  /**
   * Returns the lowest block of the branch that may be made up: no known producer signed it, or one that was not on turn. A
   * producer that was elected lately looks the same, so only another node can tell. null when there is none.
   */
  suspect(): ReadBlock | null {
    const lastOf = new Map<string, number>()
    for (const block of this.#branch()) {
      if (this.#confirmed.has(block.hash)) continue
      const { producer, height } = block
      if (producer === null) return block
      const before = lastOf.get(producer)
      if (before !== undefined && height - before < turnMin) return block
      lastOf.set(producer, height)
    }
    return null
  }

  /** Notes that another node shows the suspect as well. */
  confirm({ hash }: BlockRef): void {
    this.#confirmed.add(hash)
  }

  /** Drops a block that is not solid, and those above it. The tip is its parent then. */
  drop(block: ReadBlock): void {
    for (const [id, { height }] of this.#blocks) if (height >= block.height) this.#blocks.delete(id)
    const parent = this.#blocks.get(block.parentHash)
    this.#tip = parent ? refOf(parent) : this.#solidRef()
  }

  /** Makes the solid block the tip: those above it are read again. */
  backToSolid(): void {
    this.#tip = this.#solidRef()
  }

  /** Returns the id that the block at a height is known to have; null where none is proven. */
  provenIdAt(height: number): string | null {
    return this.#proven?.idAt(height) ?? null
  }

  /** Whether a block is known by its id to be an ancestor of a counted one. */
  isProven({ height, hash }: BlockRef): boolean {
    return this.#proven?.idAt(height) === hash
  }

  #branch(): KeptBlock[] {
    const branch: KeptBlock[] = []
    let block = this.#blocks.get(this.#tip.hash)
    for (; block && block.height > this.#count.solid.height; block = this.#blocks.get(block.parentHash)) {
      branch.push(block)
    }
    return branch.reverse()
  }

  /**
   * Moves the cursor to a block that is recorded now, and forgets what is below, as far as it is solid. A block that was
   * recorded on a node's word need not be.
   * @returns false when the window does not lead there: it has to begin anew.
   */
  release(cursor: BlockRef): boolean {
    if (cursor.hash === this.#cursor.hash) return true
    if (this.#path.get(cursor.height) !== cursor.hash) {
      if (!this.#blocks.has(cursor.hash) || this.#blocks.size > keptMax) return false
      this.#cursor = refOf(cursor)
      return true
    }
    this.#cursor = refOf(cursor)
    for (const height of this.#path.keys()) if (height <= cursor.height) this.#path.delete(height)
    for (const [id, { height }] of this.#blocks) if (height <= cursor.height) this.#blocks.delete(id)
    return true
  }

  /** From now on, blocks of these ids are solid as soon as they are read. Those read since the solid one are read again. */
  prove(ids: IdRange): void {
    this.#proven = ids
    const { height, id } = this.#count.solid
    const solid = this.#blocks.get(id)
    this.#tip = solid ? refOf(solid) : this.#cursor
    for (const [key, block] of this.#blocks) if (block.height > height) this.#blocks.delete(key)
    this.#count = new SolidCount({ height, id })
  }

  /**
   * Takes the block after the tip.
   * @returns whether it links to the tip. If not, the tip is one block lower now: after a fork the blocks are read again
   * downwards until one links.
   * @throws UnlinkedBlock when it contradicts a solid block.
   */
  async take(block: ReadBlock): Promise<boolean> {
    const proven = this.#proven?.idAt(block.height) ?? null
    if (block.parentHash !== this.#tip.hash || (proven !== null && proven !== block.hash)) {
      if (this.#tip.hash === this.#count.solid.id) throw new UnlinkedBlock(this.#tip, block)
      const tip = this.#blocks.get(this.#tip.hash)
      const below = tip && this.#blocks.get(tip.parentHash)
      this.#tip = below ? refOf(below) : this.#solidRef()
      return false
    }
    if (this.#blocks.size >= keptMax) this.#dropBesideBranch()
    const producer = this.#signedBy(block)
    this.#blocks.set(block.hash, this.#kept(block, producer))
    this.#tip = refOf(block)
    if (proven !== null) {
      this.#count = new SolidCount(countedRef(block))
      await this.#becameSolid(block.hash)
      return true
    }
    const { height, hash: id, parentHash } = block
    const taken = this.#count.take({ height, id, parentHash, producer })
    const added = taken.kind === 'added' ? taken.solid : null
    // One that is read again may have had a producer that nobody knew.
    const solid = taken.kind === 'known' ? this.#count.takeAgain({ id, producer }) : added
    if (solid) await this.#becameSolid(solid.id)
    return true
  }

  /** A node can show any number of blocks that lead nowhere. */
  #dropBesideBranch(): void {
    const kept = new Set([...this.#path.values(), ...this.#branch().map(({ hash }) => hash)])
    for (const id of this.#blocks.keys()) if (!kept.has(id)) this.#blocks.delete(id)
  }

  #solidRef(): BlockRef {
    const { id } = this.#count.solid
    const solid = this.#blocks.get(id)
    return solid ? refOf(solid) : this.#cursor
  }

  /** @returns the producer that is known to have signed the block's header; null when none is. */
  #signedBy({ header, unverified }: ReadBlock): string | null {
    if (!header || isAboutHeader(unverified)) return null
    // Of a verified block the header is. Of the others only the content is known not to be.
    const why = unverified === null ? null : this.#producers.verifyHeader(header)
    return why === null ? header.producer : null
  }

  #kept(block: ReadBlock, producer: string | null): KeptBlock {
    const { header } = block
    // Only a few are kept, until their block is solid.
    const kept = producer === null && block.unverified !== 'id' ? header : null
    return { ...block, header: kept, producer }
  }

  /** Notes the way to a solid block. What stands below it is verified by that, whoever signed it. */
  async #becameSolid(id: string): Promise<void> {
    const learned: SentHeader[] = []
    let block = this.#blocks.get(id)
    for (; block && !this.#path.has(block.height); block = this.#blocks.get(block.parentHash)) {
      this.#path.set(block.height, block.hash)
      if (block.header) learned.push(block.header)
      const isProven = block.unverified === 'stranger' || block.unverified === 'signature'
      this.#blocks.set(block.hash, {
        ...block,
        header: null,
        unverified: isProven ? null : block.unverified,
      })
    }
    for (const [key, { height }] of this.#blocks) {
      if (height <= this.#count.solid.height && this.#path.get(height) !== key) this.#blocks.delete(key)
    }
    for (const hash of this.#confirmed) if (!this.#blocks.has(hash)) this.#confirmed.delete(hash)
    // If they cannot be written now, they are learned with the producers' next blocks.
    await this.#producers.learn(learned).catch(err => this.#log.warn({ err }, 'producers.not_learned'))
  }
}

function isAboutHeader(why: Unverified | null): boolean {
  return why === 'id' || why === 'stranger' || why === 'signature'
}

function refOf({ height, hash, time }: BlockRef): BlockRef {
  return { height, hash, time }
}

function countedRef({ height, hash }: BlockRef): SolidRef {
  return { height, id: hash }
}

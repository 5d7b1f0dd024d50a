/** A verified header, as far as counting needs it. */
export interface CountedHeader {
  height: number
  id: string
  parentHash: string
  /** Its address; null when it is not a known one. Such a block can be built on, and counts for nobody. */
  producer: string | null
}

export interface SolidRef {
  height: number
  id: string
}

/**
 * What a header did:
 * `added`: it links to one that is held. `isHead`: it leads now. `solid`: the block that it makes solid, or null.
 * `known`: it is held already, or is the solid one.
 * `unlinked`: its parent is not held, or its height is not the next. Headers are missing: from the solid block on, if need be.
 * `buried`: it is not above the solid block. It can change nothing any more.
 */
export type Taken =
  | { kind: 'added'; isHead: boolean; solid: SolidRef | null }
  | { kind: 'known' }
  | { kind: 'unlinked' }
  | { kind: 'buried' }

/** Of 27 producers: two thirds and one more. */
export const solidProducers = solidProducersOf(27)
/**
 * Headers that are held: fifty minutes of blocks. Counted are some twenty; more are held when fewer producers than needed are
 * known or at work, and by forks.
 */
const headersMax = 1_000

/** Returns how many different producers have to build on a block to make it solid. @param count of all producers. */
export function solidProducersOf(count: number): number {
  return Math.floor((count * 2) / 3) + 1
}

/**
 * Counts which block is solid: the highest one that enough different producers have built on, its own included. That is
 * java-tron's rule, by which 19 of 27 producers must have a block at that height or above it. Nothing is taken from a node's word: a
 * caller passes headers whose id and signature hold, and a block is counted by parent hashes.
 *
 * Forks above the solid block are held side by side, since a header that comes first need not be on the branch that wins.
 * The solid block only moves up, and only to its own descendants.
 *
 * The branch leads that most different producers have built on, and of such the highest. java-tron takes the highest; in
 * an honest fork that is the same, since a producer has one turn in 27. A liar with one producer's key can sign any number of
 * blocks on top of each other, and adds one to a branch.
 */
export class SolidCount {
  #solid: SolidRef
  #head: SolidRef
  /** How many different producers have built on the head's branch, from above the solid block. */
  #headProducers = 0
  readonly #needed: number
  readonly #max: number
  /** Descendants of the solid block, each after its parent. */
  readonly #held = new Map<string, CountedHeader>()

  /**
   * @param solid a block that is solid already: the cursor, or one that most nodes call solid.
   * @param needed different producers. @param max headers to hold, several times `needed`.
   */
  constructor(solid: SolidRef, needed: number = solidProducers, max: number = headersMax) {
    this.#solid = refOf(solid)
    this.#head = this.#solid
    this.#needed = needed
    this.#max = max
  }

  get solid(): SolidRef {
    return this.#solid
  }

  /** The last block of a known producer on the branch that leads; the solid block when there is none above it. */
  get head(): SolidRef {
    return this.#head
  }

  /** The number of headers that are held. */
  get size(): number {
    return this.#held.size
  }

  /** Takes a verified header. Its parent must have been taken before. */
  take(header: CountedHeader): Taken {
    if (this.#held.has(header.id) || header.id === this.#solid.id) return { kind: 'known' }
    if (header.height <= this.#solid.height) return { kind: 'buried' }
    const parent = this.#held.get(header.parentHash) ?? this.#solid
    if (parent.id !== header.parentHash || header.height !== parent.height + 1) return { kind: 'unlinked' }
    this.#held.set(header.id, header)
    const { producers, reached } = this.#count(header)
    if (reached) this.#moveTo(reached)
    else {
      this.#compareWithHead(header, producers)
      if (this.#held.size > this.#max) this.#dropSome(header)
    }
    return { kind: 'added', isHead: this.#head.id === header.id, solid: reached }
  }

  /**
   * Counts a held header again, whose producer may have become known since it was taken.
   * @returns the block that it makes solid, or null.
   */
  takeAgain({ id, producer }: Pick<CountedHeader, 'id' | 'producer'>): SolidRef | null {
    const held = this.#held.get(id)
    if (!held) return null
    const header = { ...held, producer: held.producer ?? producer }
    this.#held.set(id, header)
    const { producers, reached } = this.#count(header)
    if (reached) this.#moveTo(reached)
    else this.#compareWithHead(header, producers)
    return reached
  }

  /** Returns the held blocks from the lowest to a given one, by parent hashes: none when it is not held. */
  branchTo(id: string): SolidRef[] {
    return this.#downFrom(id).reverse().map(refOf)
  }

  /** Goes down from a header until enough different producers are counted. @returns the block where they are `reached`. */
  #count(header: CountedHeader): { producers: number; reached: SolidRef | null } {
    const producers = new Set<string>()
    for (let block: CountedHeader | undefined = header; block; block = this.#held.get(block.parentHash)) {
      if (block.producer !== null) producers.add(block.producer)
      if (producers.size >= this.#needed) return { producers: producers.size, reached: refOf(block) }
    }
    return { producers: producers.size, reached: null }
  }

  #compareWithHead(header: CountedHeader, producers: number): void {
    if (header.producer === null || producers < this.#headProducers) return
    if (producers === this.#headProducers && header.height <= this.#head.height) return
    this.#head = refOf(header)
    this.#headProducers = producers
  }

  /** Moves the solid block, and drops what does not descend from it. */
  #moveTo(solid: SolidRef): void {
    this.#solid = solid
    const kept = new Set([solid.id])
    this.#keep(({ id, parentHash }) => {
      if (!kept.has(parentHash)) return false
      kept.add(id)
      return true
    })
    this.#head = solid
    this.#headProducers = 0
    for (const header of this.#held.values()) this.#compareWithHead(header, this.#count(header).producers)
  }

  /**
   * Makes room: half of it for the top of the leading branch, whose blocks had been linked when they came, and the rest for
   * what came last beside it. Otherwise a liar's long branch would displace the true one again and again, before that leads.
   */
  #dropSome(newest: CountedHeader): void {
    const above = this.#downFrom(newest.id)
    const leading = above.some(({ id }) => id === this.#head.id) ? above : this.#downFrom(this.#head.id)
    const isLeading = new Set(leading.map(({ id }) => id))
    const beside = [...this.#held.keys()].filter(id => !isLeading.has(id)).reverse()
    const half = Math.floor(this.#max / 2)
    const kept = new Set([...leading.slice(0, half).map(({ id }) => id), ...beside.slice(0, half)])
    this.#keep(({ id }) => kept.has(id))
    const head = this.#held.get(this.#head.id)
    this.#headProducers = head ? this.#count(head).producers : 0
  }

  #keep(wanted: (header: CountedHeader) => boolean): void {
    for (const header of this.#held.values()) if (!wanted(header)) this.#held.delete(header.id)
  }

  #downFrom(id: string): CountedHeader[] {
    const branch: CountedHeader[] = []
    for (let block = this.#held.get(id); block; block = this.#held.get(block.parentHash)) branch.push(block)
    return branch
  }
}

function refOf({ height, id }: SolidRef): SolidRef {
  return { height, id }
}

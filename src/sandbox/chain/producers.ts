import { type SigningKey, signingKeys } from './signing-key.ts'

// producer: who makes blocks (java-tron: witness, super representative).      elected: the producers that take turns.
// standby: candidates that were not elected.      slot: a producer's turn; a missed one passes to the next producer.
// maintenance: when the elected may change.      delegated: signing with another key than that of the producer's address.

/** A producer, or a candidate. */
export interface Producer {
  /** 42 hex digits, 41 in front: `witness_address` in the headers of its blocks. */
  address: string
  /** The key its blocks are signed with. */
  signer: SigningKey
  /**
   * Whether its account names that key in a witness permission. Accounts of a network's first block may have none:
   * then the key is that of the address.
   */
  hasPermission: boolean
}

export interface Maintenance {
  /** How many of the elected are replaced by standby candidates. */
  replace?: number | undefined
  /** How many of the elected get a new delegated key. */
  newKeys?: number | undefined
}

/** As on the main network. */
export const producersDefault = 27
/** The most that one maintenance replaces: with 27 producers, those that stay are enough to solidify a block. */
export const standbyCount = 8
/** The main network's 7 of 27. */
const delegatedEvery = 4
const votesApart = 1_000_000
/** 3 of 27. */
const withoutPermission = { every: 9, at: 1 }

/** A producer or candidate as listwitnesses shows it. */
export interface ListedProducer {
  address: string
  voteCount: number
  url: string
  /** Whether it is elected. */
  isJobs: boolean
}

/** The producers of a chain, with keys made from its seed. */
export class Producers {
  readonly #seed: string
  /** In the order of their turns. A new list at each change: blocks keep theirs. */
  #elected: readonly Producer[]
  /** In the order of their votes. */
  #standby: readonly Producer[]
  #keyChanges = 0

  constructor(seed: string, count: number) {
    this.#seed = seed
    const candidates = count + standbyCount
    const delegatedCount = Math.ceil(candidates / delegatedEvery)
    const keys = signingKeys(`sandbox producers ${seed}`, candidates + delegatedCount)
    const all = keys.slice(0, candidates).map((own, n): Producer => {
      const delegated = n % delegatedEvery === 0
      return {
        address: own.address,
        signer: delegated ? keys[candidates + n / delegatedEvery]! : own,
        hasPermission: delegated || n % withoutPermission.every !== withoutPermission.at,
      }
    })
    this.#elected = all.slice(0, count)
    this.#standby = all.slice(count)
  }

  get elected(): readonly Producer[] {
    return this.#elected
  }

  /** Lists producers and candidates, those with the most votes first. @param elected of a block: they may be others than now. */
  list(elected: readonly Producer[]): ListedProducer[] {
    const all = this.#asOf(elected)
    return all.map(({ address }, rank) => ({
      address,
      voteCount: votesApart * (all.length - rank),
      url: `https://${address.slice(2, 10)}.example`,
      isJobs: rank < elected.length,
    }))
  }

  /** Finds a producer or candidate, with its key. @param address 42 hex digits, 41 in front. @param elected of a block. */
  find(address: string, elected: readonly Producer[]): Producer | undefined {
    return this.#asOf(elected).find(producer => producer.address === address)
  }

  #asOf(elected: readonly Producer[]): Producer[] {
    const addresses = new Set(elected.map(({ address }) => address))
    return [
      ...elected,
      ...[...this.#elected, ...this.#standby].filter(({ address }) => !addresses.has(address)),
    ]
  }

  /** Returns whose turn a slot is. */
  at(slot: number): Producer {
    return this.#elected[slot % this.#elected.length]!
  }

  /** Changes keys and then elects others. @param change at most as many as are elected, and `replace` at most `standbyCount`. */
  change({ replace = 0, newKeys = 0 }: Maintenance): void {
    const rekeyed = this.#elected.map((producer, n) =>
      n < newKeys ? { ...producer, signer: this.#newKey(), hasPermission: true } : producer,
    )
    const stay = rekeyed.length - replace
    this.#elected = [...this.#standby.slice(0, replace), ...rekeyed.slice(0, stay)]
    this.#standby = [...this.#standby.slice(replace), ...rekeyed.slice(stay)]
  }

  #newKey(): SigningKey {
    return signingKeys(`sandbox key ${++this.#keyChanges} ${this.#seed}`, 1)[0]!
  }
}

/**
 * Returns how many producers must have made a block or one after it, before it is solidified: 19 of 27.
 * @see java-tron: the heights of all producers' newest blocks, sorted, at position int(0.3 n).
 */
export function solidifyingCount(producers: number): number {
  return producers - Math.floor(producers * 0.3)
}

/** Returns the fewest producers whose blocks are solidified at least so many blocks behind the head; at most 27. */
export function producersFor(depth: number): number {
  for (let producers = 2; producers < producersDefault; producers++) {
    if (solidifyingCount(producers) > depth) return producers
  }
  return producersDefault
}

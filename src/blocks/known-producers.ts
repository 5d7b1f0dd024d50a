import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../base/log.ts'
import type { Pool } from '../db/pool.ts'
import type { Unverified } from '../tron/block.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import { knownProducers, type Producers, signerOf } from '../tron/verify/block-producer.ts'
import type { SentHeader } from '../tron/verify/sent-block.ts'
import { solidProducers } from '../tron/verify/solid-count.ts'
import { hasItsId, verifyHeader } from '../tron/verify/verify-block.ts'
import { addProducers, readProducers } from './producer-store.ts'

// producer: an account that makes blocks and signs them. On the public networks 27 take turns.
// known: believed to be one, by most hosts at the start, or since a block of it became solid under those known before.
// counted: a block is solid when 19 different known producers have built on it. No node's word is needed for that.

/** The producers that are believed. They are read from the database, or else from most of the hosts. */
export interface KnownProducers {
  /** Whether enough are known to count which blocks are solid. */
  canCount(): boolean
  /** Says why a header is not verified. @returns null when it has its id and a known producer signed it. */
  verifyHeader(header: SentHeader): Unverified | null
  /**
   * Takes the producers of blocks that have become solid, as far as their headers prove them. A header's id names its producer, but
   * not its signature, which any node can replace. So a signature by the producer's own key is believed. Which other keys may sign
   * for it, the hosts are asked.
   */
  learn(headers: readonly SentHeader[]): Promise<void>
  /** Reads those that are known to the database. */
  load(): Promise<void>
  /**
   * Asks the hosts for the producers, and adds those that most of them name, and at least two. A single host is believed once,
   * while none are known, and later about new producers whose blocks have become solid: it must not replace those that are known.
   * @returns whether producers were named.
   */
  ask(): Promise<boolean>
  /**
   * Finds the producers where none are known yet: in the database, else from the hosts, which are asked until most of them
   * answer. Where solidity is not counted, a stranger's block makes it ask again. Ends when the signal aborts.
   */
  keep(signal: AbortSignal): Promise<void>
}

/** Producers that take turns on the public networks. */
const producersOfNetwork = 27
/** How soon hosts that could not say are asked again. */
const surveyRetryMs = { first: 1_000, last: 60_000 }
/** How often they are asked for keys that signed solid blocks. Each time costs a call for each producer. */
const keysRetryMs = 3_600_000

/**
 * @param options.isPublic a network of 27 producers: 19 known ones are enough to count. Elsewhere 27 have to be known, since
 * a network may have fewer.
 */
export function createKnownProducers(options: {
  pool: Pool
  nodes: () => Pick<NodePool, 'producers' | 'hosts'>
  isPublic: boolean
  log: Logger
}): KnownProducers {
  const { pool, nodes, isPublic, log } = options
  let known: Producers = knownProducers(new Map())
  let sawStranger = false
  /** Producers of solid blocks, and of keys that nobody has named. */
  const unnamed = new Set<string>()
  let keysAskedAtMs = Number.NEGATIVE_INFINITY
  const load = async () => {
    known = knownProducers(await readProducers(pool), known)
  }
  const canCount = () => known.keys.size >= (isPublic ? solidProducers : producersOfNetwork)
  const ask = async () => {
    const named = await nodes().producers()
    if (!named) return false
    sawStranger = false
    const isBelieved = known.keys.size === 0 || nodes().hosts.length > 1
    const found = isBelieved
      ? named
      : new Map([...named].filter(([producer]) => unnamed.has(producer) && !known.keys.has(producer)))
    unnamed.clear()
    await addProducers(pool, found, 'hosts')
    // What an operator has added, too.
    await load()
    if (found.size === 0) return false
    log.info({ producers: known.keys.size }, 'producers.named')
    return true
  }
  return {
    canCount,
    verifyHeader(header) {
      const verified = verifyHeader(header, known)
      if (verified.kind === 'verified') return null
      if (verified.why === 'stranger') sawStranger = true
      return verified.why
    },
    async learn(headers) {
      const found = new Map<string, string[]>()
      for (const header of headers) {
        const { producer } = header
        const signer = signerOf(header)
        if (signer === null || known.keys.get(producer)?.includes(signer) || !hasItsId(header)) continue
        if (signer === producer) found.set(producer, [signer])
        else unnamed.add(producer)
      }
      if (found.size === 0) return
      await addProducers(pool, found, 'block')
      log.info({ producers: [...found.keys()] }, 'producers.learned')
      await load()
    },
    load,
    ask,
    async keep(signal) {
      for (
        let waitMs = surveyRetryMs.first;
        !signal.aborted;
        waitMs = Math.min(waitMs * 2, surveyRetryMs.last)
      ) {
        try {
          if (known.keys.size === 0) await load()
          const keysAreDue = unnamed.size > 0 && Date.now() - keysAskedAtMs >= keysRetryMs
          if (keysAreDue) keysAskedAtMs = Date.now()
          if (keysAreDue || known.keys.size === 0 || (sawStranger && !canCount())) await ask()
        } catch (err) {
          log.debug({ err }, 'producers.unknown')
        }
        await sleep(waitMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
      }
    },
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../base/log.ts'
import type { Pool } from '../db/pool.ts'
import type { Unverified } from '../tron/block.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import {
  isSignedByProducer,
  knownProducers,
  type Producers,
  signerOf,
} from '../tron/verify/block-producer.ts'
import type { SentHeader } from '../tron/verify/sent-block.ts'
import { solidProducers } from '../tron/verify/solid-count.ts'
import { addProducers, readProducers } from './producer-store.ts'

// producer: an account that makes blocks and signs them. On the public networks 27 take turns.
// known: believed to be one, by most hosts at the start, or since a block of it became solid under those known before.
// counted: a block is solid when 19 different known producers have built on it. No node's word is needed for that.

/** The producers that are believed. They are read from the database, or else from most of the hosts. */
export interface KnownProducers {
  /** Whether enough are known to count which blocks are solid. */
  canCount(): boolean
  /** Says why a header is not verified. @returns null when a known producer signed it. */
  verifyHeader(header: SentHeader): Unverified | null
  /** Takes the producers of blocks that have become solid: new ones, and new keys of known ones. */
  learn(headers: readonly SentHeader[]): Promise<void>
  /**
   * Asks the hosts for the producers, and adds those that most of them name.
   * @returns whether most of them answered.
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

/**
 * @param options.isPublic a network of 27 producers: 19 known ones are enough to count. Elsewhere 27 have to be known, since
 * a network may have fewer.
 */
export function createKnownProducers(options: {
  pool: Pool
  nodes: () => Pick<NodePool, 'producers'>
  isPublic: boolean
  log: Logger
}): KnownProducers {
  const { pool, nodes, isPublic, log } = options
  let known: Producers = knownProducers(new Map())
  let sawStranger = false
  const load = async () => {
    known = knownProducers(await readProducers(pool), known)
  }
  const canCount = () => known.keys.size >= (isPublic ? solidProducers : producersOfNetwork)
  const ask = async () => {
    const named = await nodes().producers()
    if (!named) return false
    sawStranger = false
    await addProducers(pool, named, 'hosts')
    await load()
    log.info({ producers: known.keys.size }, 'producers.named')
    return true
  }
  return {
    canCount,
    verifyHeader(header) {
      if (!known.keys.has(header.producer)) {
        sawStranger = true
        return 'stranger'
      }
      return isSignedByProducer(header, known) ? null : 'signature'
    },
    async learn(headers) {
      const found = new Map<string, string[]>()
      for (const header of headers) {
        const signer = signerOf(header)
        if (signer === null || known.keys.get(header.producer)?.includes(signer)) continue
        found.set(header.producer, [...(found.get(header.producer) ?? []), signer])
      }
      if (found.size === 0) return
      await addProducers(pool, found, 'block')
      log.info({ producers: [...found.keys()] }, 'producers.learned')
      await load()
    },
    ask,
    async keep(signal) {
      for (
        let waitMs = surveyRetryMs.first;
        !signal.aborted;
        waitMs = Math.min(waitMs * 2, surveyRetryMs.last)
      ) {
        try {
          if (known.keys.size === 0) await load()
          if (known.keys.size === 0 || (sawStranger && !canCount())) await ask()
        } catch (err) {
          log.debug({ err }, 'producers.unknown')
        }
        await sleep(waitMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
      }
    },
  }
}

import type { BlockRef } from '../tron/block.ts'
import type { ParkingPatience } from '../tron/network.ts'
import { NodeError } from '../tron/node/node-error.ts'
import type { ReadBlock } from '../tron/node/solid-block.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import type { SentHeader } from '../tron/verify/sent-block.ts'
import { hasItsId } from '../tron/verify/verify-block.ts'

// parked: a block that no host can give, neither whole nor by its header and infos. Following goes on without it, under its true id,
// and the watcher reads it again until some host can give it. Then its payments are credited.

/** The nodes, as far as parking needs them. */
export type ParkingNodes = Pick<
  NodePool,
  'hosts' | 'names' | 'hostOf' | 'newHeader' | 'newBlock' | 'recordedBlock'
>

export interface Parking {
  /** Notes that a block could not be read. */
  failed(height: number, error: unknown): void
  /** Notes that a block was read. */
  read(height: number): void
  /** Forgets what failed: it may have been read since, or its nodes have come back. */
  forget(): void
  /** For how long a block could not be read, in ms; 0: it can. */
  failingForMs(height: number): number
  /**
   * Returns what takes the place of the block after `parent`, which cannot be read: the block itself, if some host gives it after
   * all, or one that is parked. @returns null while it has to be waited for.
   * @param idAt tells the id that the block must have, once it is known; called after all hosts were asked.
   */
  instead(
    parent: BlockRef,
    idAt: (height: number, shown: readonly SentHeader[]) => Promise<string | null>,
  ): Promise<ReadBlock | null>
}

/** Every host is asked so often at most, and so many times before a block is parked. */
const askEveryMs = 15_000
const asksMin = 4
/** Heights that are noted. */
const failingMax = 1_000
/** Blocks beside it that a host is asked for, one after the other, to see that it gives any: some of them may be parked, too. */
const besides = [1, -1, -20]

interface Failing {
  sinceMs: number
  error: unknown
  askedAtMs: number
  /** Since when some host that gives others lacks this one, and how often they were asked since; null: none when they were last asked. */
  lackedSinceMs: number | null
  asks: number
  /** Since when all hosts do, and refuse it: none is silent, overloaded or away. */
  refusedSinceMs: number | null
}

export function createParking(options: {
  nodes: ParkingNodes
  patience: ParkingPatience
  nowMs: () => number
}): Parking {
  const { nodes, patience, nowMs } = options
  const everyMs = Math.min(askEveryMs, patience.answeredMs / asksMin)
  const failing = new Map<number, Failing>()
  const note = (known: Failing, hosts: readonly HostAsked[]) => {
    const isLacked = hosts.some(({ lacks }) => lacks !== null)
    known.asks = isLacked ? known.asks + 1 : 0
    known.lackedSinceMs = isLacked ? (known.lackedSinceMs ?? nowMs()) : null
    // A node that has just come back has not said yet what it cannot give.
    const allRefuse = hosts.every(({ lacks }) => lacks === 'refused')
    known.refusedSinceMs = allRefuse ? (known.refusedSinceMs ?? nowMs()) : null
  }
  const isDue = ({ asks, sinceMs, lackedSinceMs, refusedSinceMs }: Failing) => {
    const past = (fromMs: number | null, ms: number) => fromMs !== null && nowMs() - fromMs >= ms
    const isLacked = past(lackedSinceMs, patience.answeredMs) && past(sinceMs, patience.awayMs)
    return asks >= asksMin && (isLacked || past(refusedSinceMs, patience.answeredMs))
  }
  return {
    failingForMs: height => nowMs() - (failing.get(height)?.sinceMs ?? nowMs()),
    failed(height, error) {
      const known = failing.get(height)
      const begun = { asks: 0, askedAtMs: nowMs(), lackedSinceMs: null, refusedSinceMs: null }
      if (known) known.error = error
      else failing.set(height, { sinceMs: nowMs(), error, ...begun })
      if (failing.size > failingMax) failing.delete(failing.keys().next().value!)
    },
    read(height) {
      for (const known of failing.keys()) if (known <= height) failing.delete(known)
    },
    forget: () => failing.clear(),
    async instead(parent, idAt) {
      const height = parent.height + 1
      const known = failing.get(height)
      if (!known || nowMs() - known.askedAtMs < everyMs) return null
      known.askedAtMs = nowMs()
      const hosts = await Promise.all(nodes.hosts.map(host => askHost(nodes, host, height)))
      const later = hosts.flatMap(one => one.later ?? [])
      const id = later.length > 0 ? await idAt(height, later).catch(() => null) : null
      // A host may show any block. Once the true one's id is known, no other keeps it from being parked.
      const given = hosts.find(
        ({ block }) => block?.parentHash === parent.hash && (id === null || block.hash === id),
      )
      if (given) return given.block
      note(known, hosts)
      if (id === null || !isDue(known)) return null
      const own = hosts.flatMap(one => one.own ?? []).find(header => header.id === id && hasItsId(header))
      if (own && own.parentHash !== parent.hash) return null
      return parkedBlock({ height, id, parent, own: own ?? null, because: sentenceOf(known.error) })
    },
  }
}

/** What a host says of a block and beside it. */
interface HostAsked {
  block: ReadBlock | null
  /** The headers of the block, and of the one after it. */
  own: SentHeader | null
  later: SentHeader | null
  /**
   * `refused`: it gives other blocks, and says that it cannot give this one, or shows one that it cannot be. `silent`: it gives
   * others, and does not answer for this one. null: it gives no other either, or is not that far.
   */
  lacks: 'refused' | 'silent' | null
}

/** Asks a host for the block in every way there is, and for what shows whether it gives others. */
async function askHost(nodes: ParkingNodes, host: string, height: number): Promise<HostAsked> {
  const not = nodes.names.filter(name => nodes.hostOf(name) !== host)
  const asked = { not, byInfosAtOnce: true }
  // The header comes first: a node that failed for a block rests for longer each time, and a success ends that.
  const later = await orNull(nodes.newHeader(height + 1, { not }))
  const refusals: boolean[] = []
  const note = (error: unknown) => {
    refusals.push(error instanceof NodeError && error.kind === 'failed' && !error.timedOut)
    return null
  }
  const block =
    (await nodes.newBlock(height, asked).catch(note)) ??
    (await nodes.recordedBlock(height, asked).catch(note))
  let givesOthers = false
  if (!block && later) {
    for (const beside of besides) {
      if (!givesOthers && height + beside > 0)
        givesOthers = (await orNull(nodes.newBlock(height + beside, asked))) !== null
    }
  }
  const own = block ? null : await orNull(nodes.newHeader(height, { not, isExpected: true }))
  const lacks = block
    ? 'refused'
    : !givesOthers
      ? null
      : refusals.every(isRefusal => isRefusal)
        ? 'refused'
        : 'silent'
  return { block, own, later, lacks }
}

/** A failure is recorded with the node. */
function orNull<T>(call: Promise<T | null>): Promise<T | null> {
  return call.catch(() => null)
}

/** Where no header says the block's time, its parent's is taken: what counts by the chain's time must not come too early. */
function parkedBlock(known: {
  height: number
  id: string
  parent: BlockRef
  own: SentHeader | null
  because: string
}): ReadBlock {
  const { height, id, parent, own, because } = known
  return {
    ...{ height, hash: id, parentHash: parent.hash, time: own ? new Date(own.timeMs) : parent.time },
    ...{ transactionCount: 0, transfers: [], undecodable: [], alarms: [], undone: [] },
    ...{ header: own, unverified: 'unread', because, node: 'none' },
  }
}

const becauseMax = 500

function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : 'it could not be read'
  return text.slice(0, becauseMax)
}

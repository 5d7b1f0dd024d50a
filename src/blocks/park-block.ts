import type { BlockRef } from '../tron/block.ts'
import type { ParkingPatience } from '../tron/network.ts'
import type { ReadBlock } from '../tron/node/solid-block.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import type { SentHeader } from '../tron/verify/sent-block.ts'

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

/** Every host is asked so often at most, and several times before a block is parked. */
const askEveryMs = 15_000
const asksMin = 4
/** Heights that are noted. */
const failingMax = 1_000

interface Failing {
  sinceMs: number
  error: unknown
  askedAtMs: number
  /** Since when some host shows a later block, and none this one; null: not when they were last asked. */
  withoutSinceMs: number | null
}

export function createParking(options: {
  nodes: ParkingNodes
  patience: ParkingPatience
  nowMs: () => number
}): Parking {
  const { nodes, patience, nowMs } = options
  const everyMs = Math.min(askEveryMs, patience.answeredMs / asksMin)
  const failing = new Map<number, Failing>()
  return {
    failingForMs: height => nowMs() - (failing.get(height)?.sinceMs ?? nowMs()),
    failed(height, error) {
      const known = failing.get(height)
      if (known) known.error = error
      else failing.set(height, { sinceMs: nowMs(), error, askedAtMs: nowMs(), withoutSinceMs: null })
      if (failing.size > failingMax) failing.delete(failing.keys().next().value!)
    },
    read(height) {
      for (const known of failing.keys()) if (known <= height) failing.delete(known)
    },
    async instead(parent, idAt) {
      const height = parent.height + 1
      const known = failing.get(height)
      if (!known || nowMs() - known.askedAtMs < everyMs) return null
      known.askedAtMs = nowMs()
      // The headers come first: a node that failed for a block rests for longer each time, and their success ends that.
      const headers = await Promise.all(nodes.hosts.map(host => headersOf(nodes, host, height)))
      const later = headers.flatMap(one => one.later ?? [])
      const id = later.length > 0 ? await idAt(height, later).catch(() => null) : null
      const blocks = await Promise.all(nodes.hosts.map(host => blockOf(nodes, host, height)))
      const given = blocks.find(block => block?.parentHash === parent.hash)
      if (given) return given
      // A node that has just come back has not said yet what it cannot give.
      known.withoutSinceMs = later.length > 0 ? (known.withoutSinceMs ?? nowMs()) : null
      if (known.withoutSinceMs === null || nowMs() - known.withoutSinceMs < patience.answeredMs) return null
      if (later.length < nodes.hosts.length && nowMs() - known.sinceMs < patience.awayMs) return null
      if (id === null) return null
      const own = headers.flatMap(one => one.own ?? []).find(header => header.id === id) ?? null
      if (own && own.parentHash !== parent.hash) return null
      return parkedBlock({ height, id, parent, own, because: sentenceOf(known.error) })
    },
  }
}

/** Reads what a host shows beside the block: its header, and the one after it. */
async function headersOf(
  nodes: ParkingNodes,
  host: string,
  height: number,
): Promise<{ own: SentHeader | null; later: SentHeader | null }> {
  const not = allBut(nodes, host)
  const later = await orNull(nodes.newHeader(height + 1, { not }))
  return { later, own: await orNull(nodes.newHeader(height, { not })) }
}

/** Asks a host for the block in every way there is. */
async function blockOf(nodes: ParkingNodes, host: string, height: number): Promise<ReadBlock | null> {
  const asked = { not: allBut(nodes, host), byInfosAtOnce: true }
  const block = await orNull(nodes.newBlock(height, asked))
  return block ?? (await orNull(nodes.recordedBlock(height, asked)))
}

function allBut({ names, hostOf }: ParkingNodes, host: string): string[] {
  return names.filter(name => hostOf(name) !== host)
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

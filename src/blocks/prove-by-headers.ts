import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { NodeError } from '../tron/node/node-error.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import type { SentHeader } from '../tron/verify/sent-block.ts'
import { SolidCount, type SolidRef } from '../tron/verify/solid-count.ts'
import { hasItsId } from '../tron/verify/verify-block.ts'
import { IdRange } from './id-range.ts'
import type { KnownProducers } from './known-producers.ts'

/** Headers that are asked for at the same time. */
const inFlightMax = 16
/** A header that fails so often in a row, in half a minute, ends the proof. */
const failuresMax = 8
/** The wait after the first failure; as much longer after each further one. */
const retryMs = 1_000
/** Signatures are checked of so many of the last headers: several times as many as make a block solid. */
const signedMax = 200

/**
 * Proves old blocks by the present: reads the headers from a block up to the head, each linked to the one before, and counts
 * at their end which is solid. A block whose id is reached by parent hashes from a counted one is verified by that, whoever
 * signed it. A call for each header.
 * @param after the block before the first. @param near the last header to read, if it is enough to count there.
 * @returns the ids of the blocks up to the counted one.
 * @throws NodeError when a header does not link or none is counted.
 */
export async function proveByHeaders(
  nodes: Pick<NodePool, 'newHeader' | 'head'>,
  producers: KnownProducers,
  after: SolidRef,
  signal: AbortSignal,
  near = Number.POSITIVE_INFINITY,
): Promise<IdRange> {
  const { height: last } = await nodes.head()
  const known = near < last ? await provenUpTo(nodes, producers, after, near, signal) : null
  const ids = known ?? (await provenUpTo(nodes, producers, after, last, signal))
  if (!ids) throw new NodeError('failed', `no block up to ${last} is counted solid`)
  return ids
}

/** @returns null when no block up to the last one is counted. */
async function provenUpTo(
  nodes: Pick<NodePool, 'newHeader'>,
  producers: KnownProducers,
  after: SolidRef,
  last: number,
  signal: AbortSignal,
): Promise<IdRange | null> {
  const ids = new IdRange(after.height + 1)
  const tip: SentHeader[] = []
  let parent = after
  for await (const header of readHeaders(nodes, after.height + 1, last, signal)) {
    checkLink(header, parent.id)
    ids.add(header.id)
    if (tip.push(header) > signedMax) tip.shift()
    parent = header
  }
  const counted = countAtTip(tip, producers)
  if (!counted) return null
  ids.cutAbove(counted.height)
  return ids
}

function countAtTip(tip: readonly SentHeader[], producers: KnownProducers): SolidRef | null {
  const [first] = tip
  if (!first) return null
  const base = { height: first.height - 1, id: first.parentHash }
  const count = new SolidCount(base)
  for (const header of tip) {
    const isSigned = producers.verifyHeader(header) === null
    count.take({ ...header, producer: isSigned ? header.producer : null })
  }
  return count.solid.height > base.height ? count.solid : null
}

/**
 * Proves old blocks by a recorded one: reads the headers before it, each linked to the one before and the last to it.
 * @param from the height of the first. @param next a recorded block, by its height and its parent's id.
 * @returns the ids of the blocks from the first up to the recorded one's parent.
 * @throws NodeError when they do not link.
 */
export async function proveUpTo(
  nodes: Pick<NodePool, 'newHeader'>,
  from: number,
  next: { height: number; parentHash: string },
  signal: AbortSignal,
): Promise<IdRange> {
  const ids = new IdRange(from)
  let parent: SentHeader | null = null
  for await (const header of readHeaders(nodes, from, next.height - 1, signal)) {
    checkLink(header, parent?.id ?? null)
    ids.add(header.id)
    parent = header
  }
  if (parent?.id !== next.parentHash) {
    throw new NodeError(
      'failed',
      `header ${next.height - 1} is not the parent of the recorded block ${next.height}`,
    )
  }
  return ids
}

function checkLink(header: SentHeader, parentId: string | null): void {
  if ((parentId !== null && header.parentHash !== parentId) || !hasItsId(header)) {
    throw new NodeError('failed', `header ${header.height} does not link to ${parentId}`)
  }
}

/** Asks for a header again when it fails: a month of them takes a day, and is not begun anew for one that did not come. */
async function askPatiently(
  nodes: Pick<NodePool, 'newHeader'>,
  height: number,
  signal: AbortSignal,
): Promise<SentHeader | null> {
  for (let failures = 0; ; ) {
    try {
      return await nodes.newHeader(height, { isExpected: failures > 0 })
    } catch (error) {
      if (signal.aborted || ++failures === failuresMax) throw error
      const { retryAfterMs = 0 } = error as Partial<NodeError>
      await sleep(Math.max(retryMs * failures, retryAfterMs), undefined, { signal })
    }
  }
}

/** Reads headers in order, several at a time. */
async function* readHeaders(
  nodes: Pick<NodePool, 'newHeader'>,
  from: number,
  last: number,
  signal: AbortSignal,
): AsyncGenerator<SentHeader> {
  const asked: Promise<SentHeader | null>[] = []
  // Those that wait to be asked again listen to it.
  setMaxListeners(0, signal)
  let next = from
  for (let height = from; height <= last; height++) {
    while (asked.length < inFlightMax && next <= last) {
      const call = askPatiently(nodes, next++, signal)
      call.catch(() => undefined) // Thrown when its turn comes.
      asked.push(call)
    }
    signal.throwIfAborted()
    const header = await asked.shift()!
    if (!header) throw new NodeError('failed', `there is no header ${height}`)
    yield header
  }
}

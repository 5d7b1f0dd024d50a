import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { BlockRef, SolidBlock } from '../tron/block.ts'
import type { ParkingPatience } from '../tron/network.ts'
import type { ReadBlock } from '../tron/node/solid-block.ts'
import type { NodePool } from '../tron/pool/node-pool.ts'
import { hasItsId } from '../tron/verify/verify-block.ts'
import { ChainWindow } from './chain-window.ts'
import type { UnlinkedBlock } from './fetch-blocks.ts'
import { fillWindow } from './fill-window.ts'
import type { ChainSource } from './follow-chain.ts'
import type { HeadSource } from './follow-head.ts'
import { createHeadPace } from './head-pace.ts'
import type { KnownProducers } from './known-producers.ts'
import { createParking } from './park-block.ts'
import { proveByHeaders } from './prove-by-headers.ts'
import { settleDissent } from './settle-dissent.ts'

/** The nodes, as far as the counted chain needs them. */
export type CountedNodes = Pick<
  NodePool,
  | 'names'
  | 'hostOf'
  | 'newBlock'
  | 'newBlocks'
  | 'recordedBlock'
  | 'newHeader'
  | 'othersAt'
  | 'hosts'
  | 'head'
  | 'headBlock'
  | 'saysSolid'
  | 'sameHost'
  | 'solidHead'
  | 'solidBlock'
  | 'distrust'
  | 'status'
>

/** Solidified blocks that are counted where that is possible, and otherwise taken from a node's word. */
export interface CountedSource extends ChainSource {
  /** The blocks at the head, for display: those of the window, where it is kept, and not before it has reached the head. */
  readonly head: HeadSource
  /** Waits until the head may be another, and no longer than a time. */
  pause(ms: number, signal: AbortSignal): Promise<void>
  /** Reads and counts until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

/** Headers above the solid block without another solid one: its producers are others than those that are known. */
const provenAfter = 100
const proveRetryMs = 60_000
const unprovedRetryMs = 5_000
/** Headers above a block that cannot be read, where those are enough to count it: three turns of the producers. */
const nearHeaders = 81
/** Under so many blocks, and without one that is counted solid, the producers are asked for, each time after so long. */
const stalledBlocks = 40
const askRetryMs = 60_000
/** When that lasts for so long, while a node's solidified head moves on, its word is taken. */
const stalledMs = 300_000
const progressCheckMs = 1_000
/** A node's word must be so far above the cursor: more than counting lags behind it. */
const wordAheadMin = 3

/**
 * @param options.together tells each time how many blocks are read in one call at the head.
 * @param options.onUncounted called with true when a node's word is taken instead of counting, and with false when not: at each
 * change, and when `run` begins.
 */
export function createCountedSource(options: {
  nodes: CountedNodes
  producers: KnownProducers
  slotMs: number | null
  pollMs: number
  together: () => number
  patience: ParkingPatience
  clock: Clock
  onUnlinked: (error: UnlinkedBlock | null) => void
  onUncounted: (isUncounted: boolean) => void
  log: Logger
}): CountedSource {
  const { nodes, producers, slotMs, pollMs, together, patience, clock, onUnlinked, onUncounted, log } =
    options
  const nowMs = () => clock.now().getTime()
  const parking = createParking({ nodes, patience, nowMs })
  const events = new EventEmitter().setMaxListeners(0)
  let window: ChainWindow | null = null
  let atHead = false
  let shown: BlockRef | null = null
  let progressAtMs = nowMs()
  let solidHeight = 0
  let wordTaken = false
  let provedAtMs = Number.NEGATIVE_INFINITY
  let proofsFailed = 0
  let askedAtMs = Number.NEGATIVE_INFINITY

  const counts = () => window !== null && producers.canCount() && !wordTaken
  /** Waits for an event, and no longer than a time. With AbortSignal.timeout in AbortSignal.any, Node 20 may wait for ever. */
  const wait = (event: 'changed' | 'room', ms: number, signal: AbortSignal) =>
    new Promise<void>(resolve => {
      const over = () => {
        clearTimeout(timer)
        events.off(event, over)
        signal.removeEventListener('abort', over)
        resolve()
      }
      const timer = setTimeout(over, ms)
      events.on(event, over)
      signal.addEventListener('abort', over)
      if (signal.aborted) over()
    })
  const noteProgress = () => {
    if (!window || window.solid.height === solidHeight) return
    solidHeight = window.solid.height
    progressAtMs = nowMs()
    if (!wordTaken) return
    wordTaken = false
    onUncounted(false)
    log.info({ solid: solidHeight }, 'chain.counted')
  }
  const fill = async (signal: AbortSignal) => {
    while (!signal.aborted && !(window && producers.canCount())) await wait('changed', 1_000, signal)
    if (signal.aborted) return
    await fillWindow({
      ...{ nodes, producers, together, onUnlinked, log, signal, now: clock.now },
      window: () => window!,
      pace: createHeadPace({ slotMs, pollMs, nowMs }),
      instead: async (tip, error) => {
        const read = window!
        parking.failed(tip.height + 1, error)
        // Where a node's word is taken, the follower waits for it.
        return counts() ? await parking.instead(tip, async height => read.provenIdAt(height)) : null
      },
      hasRoom: aborted => wait('room', 1_000, aborted),
      onRead: isAtHead => {
        atHead = isAtHead
        noteProgress()
        events.emit('changed')
      },
    })
  }
  /** Whether the block after the tip cannot be read for so long that it is to be parked, and its id is not proven. */
  const isStuck = () => {
    const next = window!.tip.height + 1
    return window!.provenIdAt(next) === null && parking.failingForMs(next) >= patience.answeredMs
  }
  /** The nodes that headers are asked of: any of them, and where those do not link, those of one host, the next each time. */
  const proving = (): Pick<CountedNodes, 'head' | 'newHeader'> => {
    const host =
      nodes.hosts.length > 1 ? nodes.hosts[(proofsFailed % (nodes.hosts.length + 1)) - 1] : undefined
    if (host === undefined) return nodes
    const not = nodes.names.filter(name => nodes.hostOf(name) !== host)
    return { head: nodes.head, newHeader: (height, asked) => nodes.newHeader(height, { ...asked, not }) }
  }
  /**
   * Where blocks do not become solid under the producers that are known: they are old, and had others. Or where one cannot be
   * read, so that those before it are not counted either.
   */
  const prove = async (signal: AbortSignal) => {
    if (!window || !counts() || nowMs() - provedAtMs < proveRetryMs) return
    if (window.tip.height - window.solid.height < provenAfter && !isStuck()) return
    provedAtMs = nowMs()
    const proven = window
    const near = isStuck() ? window.tip.height + nearHeaders : undefined
    const ids = await proveByHeaders(proving(), producers, window.solid, signal, near).catch(error => {
      proofsFailed++
      // The nodes rest for some seconds, say. It is a proof that was made that is not made again soon.
      provedAtMs = nowMs() + unprovedRetryMs - proveRetryMs
      throw error
    })
    proofsFailed = 0
    // A short one is made again for the next block that cannot be read.
    if (near !== undefined && ids.last <= near) provedAtMs += unprovedRetryMs - proveRetryMs
    if (window !== proven) return
    log.info({ from: ids.from, to: ids.last }, 'chain.proven')
    window.prove(ids)
    events.emit('room')
  }
  /** Where blocks are read and none becomes solid: asks for the producers, and in the end takes a node's word. */
  const unstall = async () => {
    if (!window || !producers.canCount() || nowMs() - askedAtMs < askRetryMs) return
    if (window.tip.height - window.solid.height < stalledBlocks && !isStuck()) return
    askedAtMs = nowMs()
    // They may all be others than those that are known. Then the blocks are read and counted again.
    const stalled = window
    if ((await producers.ask()) && window === stalled) {
      window.backToSolid()
      events.emit('room')
    }
    if (wordTaken || nowMs() - progressAtMs < stalledMs || !nodes.saysSolid()) return
    const claimed = await nodes.solidHead()
    if (claimed.height < window.cursor.height + wordAheadMin) return
    wordTaken = true
    onUncounted(true)
    log.error({ solid: window.solid.height, claimed: claimed.height }, 'chain.uncounted')
  }
  const watchProgress = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      // What cannot be proved is what a node's word may be taken for.
      for (const step of [prove, unstall]) {
        await step(signal).catch(err => {
          if (!signal.aborted) log.warn({ err }, 'chain.unproven')
        })
      }
      await sleep(progressCheckMs, undefined, { signal }).catch(() => undefined) // Aborted: the loop ends.
    }
  }

  return {
    head: {
      async head() {
        if (!counts()) return await nodes.head({ turn: 'display' })
        // Behind the head nobody looks at what is not credited yet, and crediting goes first.
        if (atHead) shown = believed(window!).at(-1) ?? window!.cursor
        return shown ?? window!.cursor
      },
      async headBlock(height) {
        if (!counts()) return await nodes.headBlock(height)
        return believed(window!).find(block => block.height === height) ?? null
      },
    },
    async pause(ms, signal) {
      if (counts()) await wait('changed', ms, signal)
      else await sleep(ms, undefined, { signal }).catch(() => undefined) // Aborted: the caller ends.
    },
    async solidHead() {
      if (!counts()) return await nodes.solidHead()
      const { height, id } = window!.solid
      const block = window!.solidBlock(height)
      return block ?? { ...window!.cursor, height, hash: id }
    },
    async solidBlock(height): Promise<SolidBlock | null> {
      return counts() ? window!.solidBlock(height) : await nodes.solidBlock(height)
    },
    furthest: () => Math.max(0, ...nodes.status().map(({ solidHeight }) => solidHeight ?? 0)),
    countedHeight: () => (counts() ? window!.solid.height : null),
    async confirm(block) {
      if (counts() || nodes.hosts.length < 2) return
      await settleDissent(nodes, producers, block)
    },
    distrust: nodes.distrust,
    async instead(cursor, error) {
      if (counts()) return null
      parking.failed(cursor.height + 1, error)
      return await parking.instead(cursor, async (height, later) => {
        // The hosts say what is solid, and which block the later one is built on: all of those that show one.
        const ids = new Set(later.filter(hasItsId).map(({ parentHash }) => parentHash))
        return ids.size === 1 && (await nodes.solidHead()).height > height ? [...ids][0]! : null
      })
    },
    startAt(cursor: BlockRef) {
      parking.read(cursor.height)
      if (window?.release(cursor)) return void events.emit('room')
      if (window) log.debug({ height: cursor.height }, 'window.restarted')
      window = new ChainWindow(cursor, producers, log)
      solidHeight = cursor.height
      progressAtMs = nowMs()
      events.emit('changed')
      events.emit('room')
    },
    async waitFor(height, ms, signal) {
      if (!counts()) return void (await sleep(ms, undefined, { signal }).catch(() => undefined)) // Aborted: the caller ends.
      if (window!.solidBlock(height)) return
      await wait('changed', ms, signal)
    },
    async run(signal) {
      progressAtMs = nowMs()
      parking.forget()
      // It may have been so since an earlier term, and its alarm was forgotten with that.
      onUncounted(wordTaken)
      await Promise.all([producers.keep(signal), fill(signal), watchProgress(signal)])
    },
  }
}

/** Returns the blocks at the head up to the first that may be made up. */
function believed(window: ChainWindow): ReadBlock[] {
  const suspect = window.suspect()
  return window.branch().filter(({ height }) => !suspect || height < suspect.height)
}

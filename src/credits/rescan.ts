import { UsageError } from '../base/errors.ts'
import { failpoint } from '../base/failpoint.ts'
import type { TransferId } from '../base/ids.ts'
import { type LockedCursor, lockCursor, readCursor } from '../blocks/chain-store.ts'
import { endParked } from '../blocks/parked-block-store.ts'
import { HeaderDiffers, type RereadSource, rereadBlocks } from '../blocks/reread-blocks.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import type { Pool, Queryable, Tx } from '../db/pool.ts'
import { recordContractEvents } from '../transfers/contract-event-store.ts'
import { noteDiscrepancy } from '../transfers/discrepancy-store.ts'
import { quarantineLogs, resolveDecodedLogs } from '../transfers/quarantine-store.ts'
import type { RecordedTransfer } from '../transfers/transfer.ts'
import type { SolidBlock } from '../tron/block.ts'
import { newlyPending } from './credit-blocks.ts'
import type { CreditRules } from './credit-rules.ts'
import { addressesOf } from './credit-transfers.ts'
import { type CreditStep, inCreditingTransaction } from './crediting-transaction.ts'
import { unprovedAt } from './pending-proof-store.ts'
import { oneHost } from './proof-policy.ts'
import { readEverywhere } from './read-everywhere.ts'
import { recordProved, type ShownBlock } from './record-proved.ts'
import { endLogRejections } from './rejection-store.ts'
import { isEnough } from './shown-version.ts'
import { confirmRejected, takeUpConfirmed } from './take-up-rejected.ts'
import { insertUnverified, settleBlocks } from './unverified-block-store.ts'
import { waitingAt } from './waiting-store.ts'

/** Counts of what a rescan has done so far. */
export interface Rescanned {
  blocks: number
  /** Transfers that were missing. */
  recorded: number
  /** Credits and deposits written, for those and for transfers that waited behind them. */
  credited: number
  /** Logs that cannot be decoded and transfers that cannot be credited. */
  quarantined: number
  /** Transfers that an operator had rejected and a second node confirms. */
  takenUp: number
  /** Transfers that no proof was found for: they wait for it. Undefined: none. */
  unproved?: number
  /** Heights that are parked and could not be read this time either. Undefined: none. */
  parked?: number[]
}

/**
 * Reads solidified blocks again and credits what is missing. Harmless at any time and any number of times, also beside a
 * running watcher: recorded transfers are not changed, the cursor is locked for each batch and never moved, and transfers
 * from before an address was watched are ignored. Held transfers that were rejected are taken up again if a second node
 * confirms them.
 * @param range heights, both included, none past the cursor.
 * @param onProgress called after every batch, with its blocks.
 * @throws UsageError for a range that cannot be rescanned. HeaderDiffers for a block that differs from the recorded one: it
 * is noted as a discrepancy, and nothing of its batch is recorded. Otherwise as `rereadBlocks`.
 */
export async function rescan(
  pool: Pool,
  rules: CreditRules,
  nodes: RereadSource,
  range: { from: number; to: number },
  onProgress: (done: Rescanned, blocks: readonly SolidBlock[]) => void = () => undefined,
  author: Partial<Author> = {},
): Promise<Rescanned> {
  await checkRange(pool, range)
  const total: Rescanned = { blocks: 0, recorded: 0, credited: 0, quarantined: 0, takenUp: 0 }
  try {
    const onParked = (height: number) => {
      total.parked = [...(total.parked ?? []), height]
    }
    for await (const blocks of rereadBlocks(pool, nodes, range, rules.genesisId, onParked)) {
      const confirmed = await confirmRejected(pool, nodes, blocks)
      const others = await readOfOthers(pool, rules, nodes, blocks)
      const done = await inCreditingTransaction(pool, async (tx, credit) => {
        const cursor = await lockCursor(tx)
        if (!cursor) throw new Error('chain_cursor is empty')
        return await creditMissing(tx, { rules, credit, cursor, blocks, others, confirmed, author })
      })
      total.blocks += blocks.length
      total.recorded += done.recorded.length
      total.credited += done.credited
      total.quarantined += done.quarantined
      total.takenUp += done.takenUp
      if (done.unproved) total.unproved = (total.unproved ?? 0) + done.unproved
      onProgress({ ...total }, blocks)
    }
  } catch (error) {
    if (error instanceof HeaderDiffers) {
      const { height, detail } = error
      await noteDiscrepancy(pool, { kind: 'block_header', subject: `${height}`, detail })
    }
    throw error
  }
  return total
}

/** Reads the blocks in which something waits for proof, or was rejected, from the other hosts as well. */
async function readOfOthers(
  db: Queryable,
  rules: CreditRules,
  nodes: RereadSource,
  blocks: readonly SolidBlock[],
): Promise<SolidBlock[]> {
  const byHeight = new Map(blocks.map(block => [block.height, block]))
  const unproved = await unprovedAt(db, [...byHeight.keys()])
  const { hostOf } = rules.proof ?? oneHost
  const others: SolidBlock[] = []
  for (const height of new Set(unproved.map(one => one.height))) {
    const block = byHeight.get(height)!
    const pending = unproved.filter(one => one.height === height)
    const { readings } = await readEverywhere(nodes, height, {
      last: [block.node],
      enough: found => isEnough([block, ...found], { pending, block: undefined, hostOf }),
    })
    others.push(...readings.filter(({ hash, node }) => hash === block.hash && node !== block.node))
  }
  return others
}

/** Tells whether nothing says that a block's infos are all of them. Such a block is read again by settling. */
export function mayLackInfos({ unverified }: SolidBlock): boolean {
  return unverified === 'header-only' || unverified === 'infos'
}

function verifiedOf(blocks: readonly ShownBlock[]): ShownBlock[] {
  return blocks.filter(({ unverified }) => unverified === null)
}

async function checkRange(pool: Pool, { from, to }: { from: number; to: number }): Promise<void> {
  const cursor = await readCursor(pool)
  if (!cursor) throw new UsageError('nothing is watched yet: run `gateway start watcher` first')
  if (from < 1 || from > to)
    throw new UsageError(`blocks ${from} to ${to}: heights are from 1 on, the lower one first`)
  if (to > cursor.height) {
    throw new UsageError(
      `block ${to} is past the cursor, which is at ${cursor.height}: it will be followed and needs no rescan`,
    )
  }
}

/**
 * Records the missing transfers of blocks that were read again, takes up rejected ones, and credits both.
 * @param work.cursor locked. @param work.others blocks among them as other hosts show them. @param work.confirmed rejected transfers that a second node confirms.
 * @returns the transfers that were missing, and counts as in `Rescanned`.
 */
export async function creditMissing(
  tx: Tx,
  work: {
    rules: CreditRules
    credit: CreditStep
    cursor: LockedCursor
    blocks: readonly SolidBlock[]
    others?: readonly ShownBlock[]
    confirmed?: readonly TransferId[]
    author: Partial<Author>
  },
): Promise<
  { recorded: RecordedTransfer[] } & Pick<Rescanned, 'credited' | 'quarantined' | 'takenUp' | 'unproved'>
> {
  const { rules, credit, cursor, blocks, others = [], confirmed = [] } = work
  const author = authorOf(work.author)
  const read = await endParked(tx, blocks)
  await insertUnverified(tx, [...new Set([...read, ...blocks.filter(mayLackInfos)])])
  await recordContractEvents(tx, read)
  const undecodable = await quarantineLogs(tx, blocks)
  const shown = [...blocks, ...others]
  const proved = await recordProved(tx, rules, shown, cursor.startHeight + 1, author.actor)
  const { recorded, freed, unproved } = proved
  await settleBlocks(tx, verifiedOf(shown), 'verified')
  const takenUp = await takeUpConfirmed(tx, confirmed, author.actor)
  if (recorded.length + undecodable + takenUp.length + freed.length + unproved + proved.takenUp === 0) {
    return { recorded, credited: 0, quarantined: 0, takenUp: 0 }
  }
  await resolveDecodedLogs(tx, recorded)
  await endLogRejections(tx, recorded)
  const waiting = await waitingAt(tx, addressesOf(recorded, [...takenUp, ...freed]))
  const done = await credit(tx, rules, [...waiting, ...newlyPending(rules, recorded)], cursor.time)
  const found = {
    credited: done.credits + (done.deposits ?? 0),
    quarantined: done.quarantined + undecodable,
    takenUp: takenUp.length + proved.takenUp,
    ...(unproved > 0 && { unproved }),
  }
  await recordAudit(tx, {
    ...author,
    action: 'blocks.rescanned',
    subject: `blocks ${blocks[0]!.height} to ${blocks.at(-1)!.height}`,
    detail: {
      recorded: recorded.length,
      ...found,
      transfers: recorded.slice(0, 100).map(({ txid, logIndex }) => [txid, logIndex]),
    },
  })
  failpoint('rescan:before-commit')
  return { recorded, ...found }
}

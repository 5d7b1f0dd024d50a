import {
  checkImport,
  type ImportedAddresses,
  type ImportRequest,
  importAt,
} from '../addresses/import-address.ts'
import { UsageError } from '../base/errors.ts'
import type { DepositAddressId } from '../base/ids.ts'
import { formatUsdt } from '../base/money.ts'
import { lockCursor, readCursor } from '../blocks/chain-store.ts'
import { parkedAt } from '../blocks/parked-block-store.ts'
import type { RereadSource } from '../blocks/reread-blocks.ts'
import type { Pool } from '../db/pool.ts'
import { sumOf } from '../transfers/compare-history.ts'
import { inChainOrder, type RecordedTransfer } from '../transfers/transfer.ts'
import { addressToHex, type TronAddress } from '../tron/address.ts'
import type { SolidBlock } from '../tron/block.ts'
import type { CreditRules } from './credit-rules.ts'
import { type LastCredited, lastCredited } from './credit-store.ts'
import { inCreditingTransaction } from './crediting-transaction.ts'
import { creditMissing, mayLackInfos, type Rescanned, rescan } from './rescan.ts'
import { insertUnverified } from './unverified-block-store.ts'

export interface ImportedFromBlock extends ImportedAddresses {
  /** The last block that was read: the cursor's height at the import. */
  to: number
  read: Rescanned
}

/** The most payments kept in memory and recorded in one transaction: as many as a batch of busy blocks may have. */
const paymentsMax = 10_000
/** How often the cursor may move on while blocks are read. At the head once is usual, and a catch-up ends. */
const roundsMax = 100

/**
 * Imports addresses as `importAddresses` does, and credits what they were paid from a block on. Both happen in one
 * transaction, so that no order can be created at an address before its earlier payments are recorded, and they are credited
 * in chain order. The blocks are read before the transaction: a crash meanwhile imports nothing. Addresses that were known
 * count from that block on as well.
 * @param request.fromBlock a height, not past the cursor.
 * @param onProgress called after every batch, with the last block to be read as far as is known.
 * @throws UsageError as `importAddresses`; also when a known address is already credited past a payment found now, and when
 *   there are too many payments. Otherwise as `rescan`, which reads the blocks and credits what else is missing in them.
 */
export async function importFromBlock(
  pool: Pool,
  rules: CreditRules,
  nodes: RereadSource,
  request: ImportRequest & { fromBlock: number },
  onProgress: (done: Rescanned, to: number) => void = () => undefined,
): Promise<ImportedFromBlock> {
  const { imported, known, adopted } = await checkImport(pool, request)
  const addresses = [...imported, ...known, ...adopted]
  const [paid, incomplete]: [SolidBlock[], SolidBlock[]] = [[], []]
  let read: Rescanned = { blocks: 0, recorded: 0, credited: 0, quarantined: 0, takenUp: 0 }
  let to = await readTo(pool, request.fromBlock)
  let ranges = [{ from: request.fromBlock, to }]
  const keep = (done: Rescanned, blocks: readonly SolidBlock[]) => {
    paid.push(...payingOnly(addresses, blocks))
    incomplete.push(...blocks.filter(mayLackInfos).map(block => ({ ...block, ...nothingIn })))
    refuseTooMany(paid)
    onProgress(sum(read, done), to)
  }
  for (let round = 0; round < roundsMax; round++) {
    for (const range of ranges) read = sum(read, await rescan(pool, rules, nodes, range, keep, request))
    const outcome = await importRead(pool, rules, request, {
      to,
      paid,
      incomplete,
      parked: read.parked ?? [],
    })
    if ('found' in outcome) return { ...outcome.done, to, read: sum(read, outcome.found) }
    if ('unparked' in outcome) {
      const { unparked } = outcome
      ranges = unparked.map(height => ({ from: height, to: height }))
      read = { ...read, parked: read.parked!.filter(height => !unparked.includes(height)) }
    } else {
      ranges = [{ from: to + 1, to: outcome.cursorAt }]
      to = outcome.cursorAt
    }
  }
  throw new Error(
    `nothing is imported: the cursor moved on ${roundsMax} times, faster than blocks can be read; try again when the watcher is at the head`,
  )
}

async function readTo(pool: Pool, fromBlock: number): Promise<number> {
  const cursor = await readCursor(pool)
  if (!cursor) throw new UsageError('nothing is watched yet: run `gateway start watcher` first')
  if (fromBlock > cursor.height) {
    throw new UsageError(
      `block ${fromBlock} is past the cursor, which is at ${cursor.height}: blocks after the cursor are followed anyway`,
    )
  }
  return cursor.height
}

const nothingIn = { transfers: [], undecodable: [], alarms: [], undone: [] }

/** Keeps the blocks that pay the addresses, with these payments only: everything else in them has been rescanned. */
function payingOnly(addresses: readonly TronAddress[], blocks: readonly SolidBlock[]): SolidBlock[] {
  const paid = new Set(addresses.map(addressToHex))
  return blocks
    .map(block => ({
      ...block,
      ...nothingIn,
      transfers: block.transfers.filter(({ toHex }) => paid.has(toHex)),
    }))
    .filter(({ transfers }) => transfers.length > 0)
}

function refuseTooMany(paid: readonly SolidBlock[]): void {
  const payments = paid.reduce((count, { transfers }) => count + transfers.length, 0)
  if (payments > paymentsMax) {
    throw new UsageError(
      `the addresses have more than ${paymentsMax} payments since that block: import fewer at a time, or from a later block`,
    )
  }
}

/**
 * Imports, and credits what was read. If the cursor has moved on, does nothing: the blocks since must be read first. So must a
 * block that was parked when it was to be read, and is not any more: when its parking ended, the addresses were not ours.
 */
async function importRead(
  pool: Pool,
  rules: CreditRules,
  request: ImportRequest & { fromBlock: number },
  read: {
    to: number
    paid: readonly SolidBlock[]
    incomplete: readonly SolidBlock[]
    parked: readonly number[]
  },
): Promise<{ done: ImportedAddresses; found: Rescanned } | { cursorAt: number } | { unparked: number[] }> {
  const { to, paid: blocks, incomplete, parked } = read
  const { fromBlock } = request
  return await inCreditingTransaction(pool, async (tx, credit) => {
    const cursor = await lockCursor(tx)
    if (!cursor) throw new Error('chain_cursor is empty')
    if (cursor.height > to) return { cursorAt: cursor.height }
    const stillParked = await parkedAt(tx, parked)
    const unparked = parked.filter(height => !stillParked.has(height))
    if (unparked.length > 0) return { unparked }
    // Settled by now or not: only from here on are the addresses ours.
    await insertUnverified(tx, incomplete)
    const done = await importAt(tx, cursor, request, fromBlock)
    const last = await lastCredited(tx, done.known)
    const { recorded, ...counts } = await creditMissing(tx, {
      rules,
      credit,
      cursor,
      blocks,
      author: request,
    })
    refusePassed(recorded, last)
    return { done, found: { blocks: 0, recorded: recorded.length, ...counts } }
  })
}

/** Refuses payments that come before an address's last credited one: an address is credited in chain order. */
function refusePassed(
  recorded: readonly RecordedTransfer[],
  last: ReadonlyMap<DepositAddressId, LastCredited>,
): void {
  const problems: string[] = []
  for (const [id, credited] of last) {
    const passed = recorded.filter(
      transfer => transfer.depositAddressId === id && inChainOrder(transfer, credited) < 0,
    )
    if (passed.length === 0) continue
    const [first] = passed.toSorted(inChainOrder)
    const paid = formatUsdt(sumOf(passed))
    problems.push(
      `${credited.address} is credited up to block ${credited.height}, and was paid ${paid} USDT before that, from block ${first!.height} on: this can only be settled by hand`,
    )
  }
  if (problems.length > 0) throw new UsageError(problems)
}

function sum(a: Rescanned, b: Rescanned): Rescanned {
  return {
    blocks: a.blocks + b.blocks,
    recorded: a.recorded + b.recorded,
    credited: a.credited + b.credited,
    quarantined: a.quarantined + b.quarantined,
    takenUp: a.takenUp + b.takenUp,
    ...((a.parked ?? b.parked) && { parked: [...(a.parked ?? []), ...(b.parked ?? [])] }),
    ...((a.unproved ?? b.unproved) !== undefined && { unproved: (a.unproved ?? 0) + (b.unproved ?? 0) }),
  }
}

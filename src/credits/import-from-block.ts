import {
  checkImport,
  type ImportedAddresses,
  type ImportRequest,
  importAt,
} from '../addresses/import-address.ts'
import { UsageError } from '../base/errors.ts'
import { formatUsdt } from '../base/money.ts'
import { lockCursor, readCursor } from '../blocks/chain-store.ts'
import type { RereadSource } from '../blocks/reread-blocks.ts'
import type { Pool } from '../db/pool.ts'
import { inChainOrder, type RecordedTransfer } from '../transfers/transfer.ts'
import { addressToBytes, type TronAddress } from '../tron/address.ts'
import type { SolidBlock } from '../tron/block.ts'
import type { CreditRules } from './credit-rules.ts'
import { lastCredited } from './credit-store.ts'
import { inCreditingTransaction } from './crediting-transaction.ts'
import { creditMissing, type Rescanned, rescan } from './rescan.ts'

export interface ImportedFromBlock extends ImportedAddresses {
  /** The last block that was read: where the cursor stood at the import. */
  to: number
  read: Rescanned
}

/** Payments kept in memory, and recorded in one transaction: as many as a batch of busy blocks may bring. */
const paymentsMax = 10_000
/** How often the cursor may have moved on while blocks were read: at the head one time is usual, and a catch-up ends. */
const roundsMax = 100

/**
 * Imports addresses as `importAddresses` does, and credits what they were paid from a block on, in one transaction: an
 * order can be made there only when all that was paid before is recorded, and so it is credited in chain order. The blocks
 * are read before it; dying meanwhile imports nothing. Known ones count from that block on as well.
 * @param request.fromBlock a height, not past the cursor.
 * @param onProgress told after every batch, with the last block that is to be read as things are.
 * @throws UsageError as `importAddresses`; when a known address is credited past a payment found now, or there are too many
 *   of them. Otherwise as `rescan`, which reads the blocks, and credits what else is missing in them.
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
  const paid: SolidBlock[] = []
  let read: Rescanned = { blocks: 0, recorded: 0, credited: 0, quarantined: 0 }
  let range = { from: request.fromBlock, to: await readTo(pool, request.fromBlock) }
  for (let round = 0; round < roundsMax; round++) {
    const { to } = range
    const keep = (done: Rescanned, blocks: readonly SolidBlock[]) => {
      paid.push(...payingOnly(addresses, blocks))
      refuseTooMany(paid)
      onProgress(sum(read, done), to)
    }
    read = sum(read, await rescan(pool, rules, nodes, range, keep, request.actor))
    const outcome = await importRead(pool, rules, request, { to, paid })
    if ('found' in outcome) return { ...outcome.done, to, read: sum(read, outcome.found) }
    range = { from: to + 1, to: outcome.cursorAt }
  }
  throw new Error(
    `nothing is imported: the cursor moved on ${roundsMax} times, faster than blocks can be read; try again when the watcher is at the head`,
  )
}

async function readTo(pool: Pool, fromBlock: number): Promise<number> {
  const cursor = await readCursor(pool)
  if (!cursor) throw new UsageError('--from-block: nothing is watched yet, start the watcher first')
  if (fromBlock > cursor.height) {
    throw new UsageError(
      `--from-block: ${fromBlock} is past the cursor, which stands at ${cursor.height}; without it they are watched from there on`,
    )
  }
  return cursor.height
}

/** The blocks that pay the addresses, with these payments alone: all else of them has been rescanned. */
function payingOnly(addresses: readonly TronAddress[], blocks: readonly SolidBlock[]): SolidBlock[] {
  const paid = new Set(addresses.map(address => addressToBytes(address).toString('latin1')))
  return blocks
    .map(block => ({
      ...block,
      transfers: block.transfers.filter(({ toBytes }) => paid.has(toBytes.toString('latin1'))),
      undecodable: [],
      alarms: [],
      undone: [],
    }))
    .filter(({ transfers }) => transfers.length > 0)
}

function refuseTooMany(paid: readonly SolidBlock[]): void {
  const payments = paid.reduce((count, { transfers }) => count + transfers.length, 0)
  if (payments > paymentsMax) {
    throw new UsageError(
      `--from-block: they were paid more than ${paymentsMax} times since; name fewer addresses, or a later block`,
    )
  }
}

/** Imports, and credits what was read, unless the cursor is past it by now: then nothing, and the rest is to be read. */
async function importRead(
  pool: Pool,
  rules: CreditRules,
  request: ImportRequest & { fromBlock: number },
  { to, paid: blocks }: { to: number; paid: readonly SolidBlock[] },
): Promise<{ done: ImportedAddresses; found: Rescanned } | { cursorAt: number }> {
  const { fromBlock, actor = 'command line' } = request
  return await inCreditingTransaction(pool, async (tx, credit) => {
    const cursor = await lockCursor(tx)
    if (!cursor) throw new Error('the cursor is gone')
    if (cursor.height > to) return { cursorAt: cursor.height }
    const done = await importAt(tx, cursor, request, fromBlock)
    const last = await lastCredited(tx, done.known)
    const { recorded, ...counts } = await creditMissing(tx, { rules, credit, cursor, blocks, actor })
    refusePassed(recorded, last)
    return { done, found: { blocks: 0, recorded: recorded.length, ...counts } }
  })
}

/** An address is credited in chain order: what comes before one that is credited already has missed its turn. */
function refusePassed(
  recorded: readonly RecordedTransfer[],
  last: Awaited<ReturnType<typeof lastCredited>>,
): void {
  const problems: string[] = []
  for (const [id, credited] of last) {
    const passed = recorded.filter(
      transfer => transfer.depositAddressId === id && inChainOrder(transfer, credited) < 0,
    )
    if (passed.length === 0) continue
    const [first] = passed.toSorted(inChainOrder)
    const usdt = formatUsdt(passed.reduce((units, { amount }) => units + amount, 0n))
    problems.push(
      `${credited.address} is credited up to block ${credited.height}, and was paid ${usdt} USDT before, from block ${first!.height} on: that can only be settled by hand`,
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
  }
}

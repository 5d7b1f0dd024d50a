import { type Command, Option } from 'commander'
import { UsageError } from '../base/errors.ts'
import type { MarkId, TransferId } from '../base/ids.ts'
import { formatUsdt, parseSignedUsdt, type UsdtUnits } from '../base/money.ts'
import { readRules } from '../credits/credit-rules.ts'
import { makeMark, markRefusals, type WantedMark } from '../credits/make-mark.ts'
import { type MarkKind, type MarkTarget, markKinds, readTxid } from '../credits/mark.ts'
import { type ListedMark, listMarks } from '../credits/mark-store.ts'
import { withdrawMark } from '../credits/settle-outside.ts'
import { findOrderOwner } from '../credits/unclaimed-store.ts'
import type { Queryable } from '../db/pool.ts'
import { addIdPage, type PageOptions, printPage, readIdPage } from './id-page-options.ts'
import {
  addDecision,
  addReasoned,
  type DecisionOptions,
  decidedText,
  decisionFrom,
  readId,
} from './operator.ts'
import { withDatabase } from './with-database.ts'

interface MarkOptions extends DecisionOptions {
  transfer?: string
  ordersn?: string
  amount: string
  txid?: string
}

export function addMarkCommands(program: Command): void {
  const marks = program
    .command('marks')
    .description('notes about money that was received, which move none: list, refund, correct, withdraw')

  addIdPage(marks.command('list'))
    .description('list refunds, corrections, transfers settled outside and withdrawals, newest first')
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(markKinds))
    .action(async (options: PageOptions & { kind?: MarkKind }) => {
      await withDatabase('command', async pool => {
        const page = await listMarks(pool, await readIdPage(pool, options), options.kind)
        printPage(page.map(markRow), options, 'there are no marks')
      })
    })

  addMark(marks, 'refund')
    .description('note that a payment, or a part of it, was paid back')
    .requiredOption('--amount <usdt>', 'how much: 3.5')
    .requiredOption('--txid <txid>', 'the transaction that paid it back')
    .action((options: MarkOptions) => mark('refund', options))

  addMark(marks, 'correct')
    .description('note that more, or less, counts than was received')
    .requiredOption('--amount <usdt>', 'how much more: 3.5; or less: -3.5')
    .option('--txid <txid>', 'a transaction that belongs to it')
    .action((options: MarkOptions) => mark('correction', options))

  addDecision(marks, 'withdraw')
    .description('take a mark back, by another mark; what was settled outside is unclaimed again')
    .action(async (text: string, options: DecisionOptions) => {
      const [id, decision] = [readId(text) as MarkId, decisionFrom(options)]
      await withDatabase('command', async (pool, config) => {
        const rules = await readRules(pool, config.creditQuorumAmount)
        const withdrawn = await withdrawMark(pool, rules, id, decision)
        if (withdrawn.state === 'refunded')
          throw new UsageError(`mark ${text}: its transfer has other marks: withdraw these first`)
        console.log(decidedText(`mark ${text}`, withdrawn, 'withdrawn'))
      })
    })
}

function addMark(marks: Command, name: string): Command {
  return addReasoned(marks.command(name))
    .option('--transfer <id>', 'of this transfer (transfer_id of report.transfers)')
    .option(
      '--ordersn <ordersn>',
      'of the order with this number of ours (cz-...), with all that it received',
    )
}

async function mark(kind: WantedMark['kind'], options: MarkOptions): Promise<void> {
  const { transfer, ordersn } = options
  if ((transfer === undefined) === (ordersn === undefined))
    throw new UsageError('give --transfer or --ordersn')
  const decision = decisionFrom(options)
  const amount = readAmount(options.amount)
  const txid = txidFrom(options.txid)
  await withDatabase('command', async (pool, config) => {
    const rules = await readRules(pool, config.creditQuorumAmount)
    const target =
      transfer === undefined
        ? await orderTarget(pool, ordersn!)
        : { transferId: readId(transfer) as TransferId }
    const marked = await makeMark(pool, rules, { kind, target, amount, txid }, decision)
    if (marked.kind === 'refused') throw new UsageError(`${markRefusals[marked.code]} (${marked.code})`)
    console.log(`mark ${marked.id}${marked.kind === 'already' ? ' says so already' : ''}`)
  })
}

async function orderTarget(db: Queryable, ordersn: string): Promise<MarkTarget> {
  const order = await findOrderOwner(db, { ordersn })
  if (!order) throw new UsageError(`there is no order ${ordersn}`)
  return { orderId: order.id }
}

function readAmount(text: string): UsdtUnits {
  const units = parseSignedUsdt(text)
  if (units === null) throw new UsageError(`--amount: decimal USDT such as 3.5, got "${text}"`)
  return units
}

function txidFrom(text: string | undefined): string | null {
  if (text === undefined) return null
  const txid = readTxid(text)
  if (txid === undefined) throw new UsageError(`--txid: 64 hex digits, got "${text}"`)
  return txid
}

function markRow({ id, amount, createdAt, transferId, withdraws, withdrawnBy, ...mark }: ListedMark) {
  const { kind, appid, orderid, txid, reason, madeBy } = mark
  return {
    ...{ id: `${id}`, kind, usdt: formatUsdt(amount), appid },
    ...{ transfer: transferId === null ? null : `${transferId}`, orderid, txid },
    ...{ withdraws: withdraws && `${withdraws}`, withdrawnBy: withdrawnBy && `${withdrawnBy}` },
    ...{ reason, by: madeBy, at: createdAt.toISOString() },
  }
}

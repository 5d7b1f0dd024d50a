import type { Command } from 'commander'
import type { Config } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import type { PendingProofId, TransferId } from '../base/ids.ts'
import { formatUsdt } from '../base/money.ts'
import { confirmByAny } from '../credits/confirm-held.ts'
import { type CreditRules, readRules } from '../credits/credit-rules.ts'
import { rejectHeld, releaseHeldByHand, reopenHeld } from '../credits/decide-held.ts'
import {
  askAboutPending,
  type PendingAnswer,
  rejectPendingByHand,
  releasePending,
  reopenPendingByHand,
} from '../credits/decide-pending.ts'
import type { HeldTransfer } from '../credits/held-store.ts'
import {
  type ListedHeld,
  type ListedPending,
  listHeld,
  listPending,
  listRejectedHeld,
} from '../credits/list-waiting.ts'
import type { PendingProof } from '../credits/pending-proof-store.ts'
import type { Confirmation } from '../credits/release-held.ts'
import { readIdPage } from './id-page-options.ts'
import { addDecision, type DecisionOptions, decidedText, decisionFrom, readId } from './operator.ts'
import { printTable } from './print-table.ts'
import { withDatabase } from './with-database.ts'
import { withNodes } from './with-nodes.ts'

export function addHeldCommands(program: Command): void {
  const held = program
    .command('held')
    .description('transfers that wait for a second node or for proof: list, release, reject, reopen')

  held
    .command('list')
    .description('list what is held, then what waits for proof (ids like p12), oldest first')
    .option('--rejected', 'list what was rejected, and why')
    .option('--appid <appid>', 'of one merchant')
    .option('--json', 'print an array')
    .action(async (options: { rejected?: true; appid?: string; json?: true }) => {
      await withDatabase('command', async pool => {
        const page = await readIdPage(pool, options)
        const held: object[] = options.rejected
          ? (await listRejectedHeld(pool, page)).map(rejectedRow)
          : (await listHeld(pool, page)).map(heldRow)
        const pending = await listPending(pool, options.rejected ? 'rejected' : 'waits', page)
        const found = [
          ...held,
          ...pending.map(one => (options.rejected ? rejectedPendingRow(one) : pendingRow(one))),
        ]
        if (options.json) console.log(JSON.stringify(found, null, 2))
        else if (found.length > 0) printTable(found)
        else console.log(options.rejected ? 'nothing is rejected' : 'nothing is held')
      })
    })

  addDecision(held, 'release')
    .description('credit a held transfer on your own word, as if a second node had confirmed it')
    .action((id: string, options: DecisionOptions) =>
      decide({ held: releaseHeldByHand, pending: releasePending }, id, options, 'released'),
    )

  addDecision(held, 'reject')
    .description(
      'give up on a held transfer that proves made up: it takes no money, and what waits behind it goes on; refused while a second node confirms it',
    )
    .option('--without-nodes', 'ask no node: reject it on your own word')
    .action(reject)

  addDecision(held, 'reopen')
    .description('hold a rejected transfer again, until a second node confirms it')
    .action((id: string, options: DecisionOptions) =>
      decide({ held: reopenHeld, pending: reopenPendingByHand }, id, options, 'reopened'),
    )
}

async function decide(
  carryOut: { held: typeof reopenHeld; pending: typeof reopenPendingByHand },
  text: string,
  options: DecisionOptions,
  done: string,
): Promise<void> {
  const [id, decision] = [readHeldId(text), decisionFrom(options)]
  await withDatabase('command', async (pool, config) => {
    const rules = await readRules(pool, config.creditQuorumAmount)
    const decided =
      'pending' in id
        ? await carryOut.pending(pool, rules, id.pending, decision)
        : await carryOut.held(pool, rules, id.held, decision)
    console.log(decidedText(`transfer ${text}`, decided, done))
  })
}

async function reject(text: string, options: DecisionOptions & { withoutNodes?: true }): Promise<void> {
  const [id, decision] = [readHeldId(text), decisionFrom(options)]
  await withDatabase('command', async (pool, config) => {
    const rules = await readRules(pool, config.creditQuorumAmount)
    const decided =
      'pending' in id
        ? await rejectPendingByHand(
            pool,
            rules,
            id.pending,
            decision,
            options.withoutNodes ? null : one => askPending(config, rules, one),
          )
        : await rejectHeld(
            pool,
            rules,
            id.held,
            decision,
            options.withoutNodes ? null : held => ask(config, rules, held),
          )
    if (decided.kind === 'confirmed') {
      throw new Error(
        `transfer ${text} is not rejected: a second node confirms it, and the watcher will credit it`,
      )
    }
    if (decided.kind === 'unanswered') {
      throw new Error(
        `transfer ${text} is not rejected: no second node could be asked (${decided.note}); ` +
          'try again later, or use --without-nodes to reject it on your own word',
      )
    }
    console.log(decidedText(`transfer ${text}`, decided, 'rejected'))
  })
}

async function askPending(config: Config, rules: CreditRules, one: PendingProof): Promise<PendingAnswer> {
  if (config.tronNodes.length === 0) throw new UsageError('TRON_NODES is empty')
  return await withNodes(config, rules, (nodes, proving) => askAboutPending(nodes, proving, one))
}

/** Reads the id of a held transfer, or with a p before it of one that waits for proof. */
function readHeldId(text: string): { held: TransferId } | { pending: PendingProofId } {
  return text.startsWith('p')
    ? { pending: readId(text.slice(1)) as PendingProofId }
    : { held: readId(text) as TransferId }
}

async function ask(config: Config, rules: CreditRules, held: HeldTransfer): Promise<Confirmation> {
  if (config.tronNodes.length === 0) throw new UsageError('TRON_NODES is empty')
  return await withNodes(config, rules, nodes => confirmByAny(nodes, held))
}

function heldRow({ checkedAt, note, behind, ...held }: Awaited<ReturnType<typeof listHeld>>[number]) {
  return { ...rowOf(held), checkedAt: checkedAt?.toISOString() ?? null, note, behind: Number(behind) }
}

function rejectedRow({ reason, rejectedBy, ...held }: Awaited<ReturnType<typeof listRejectedHeld>>[number]) {
  return { ...rowOf(held), reason, rejectedBy }
}

function pendingRow({ checkedAt, behind, hosts, denied, ...pending }: ListedPending) {
  const note = `waits for proof: shown by ${hosts.join(', ') || 'none'}, denied by ${denied.join(', ') || 'none'}`
  return {
    ...rowOf({ ...pending, id: `p${pending.id}` }),
    checkedAt: checkedAt?.toISOString() ?? null,
    note,
    behind: Number(behind),
  }
}

function rejectedPendingRow({ reason, rejectedBy, ...pending }: ListedPending) {
  return { ...rowOf({ ...pending, id: `p${pending.id}` }), reason, rejectedBy }
}

function rowOf({
  id,
  amount,
  address,
  height,
  txid,
  logIndex,
  node,
  since,
}: Omit<ListedHeld, 'id' | 'appid' | 'localusermark'> & { id: TransferId | string }) {
  return {
    ...{ id: `${id}`, usdt: formatUsdt(amount), address, block: height, txid, logIndex, node },
    since: since.toISOString(),
  }
}

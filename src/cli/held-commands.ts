import type { Command } from 'commander'
import type { Config } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import type { TransferId } from '../base/ids.ts'
import { formatUsdt } from '../base/money.ts'
import { confirmByAny } from '../credits/confirm-held.ts'
import { type CreditRules, readRules } from '../credits/credit-rules.ts'
import { rejectHeld, releaseHeldByHand, reopenHeld } from '../credits/decide-held.ts'
import type { HeldTransfer } from '../credits/held-store.ts'
import { type ListedHeld, listHeld, listRejectedHeld } from '../credits/list-waiting.ts'
import type { Confirmation } from '../credits/release-held.ts'
import { addDecision, type DecisionOptions, decidedText, decisionOf, readId } from './operator.ts'
import { withDatabase } from './with-database.ts'
import { withNodes } from './with-nodes.ts'

/** The most that are listed. */
const listMax = 1_000

export function addHeldCommands(program: Command): void {
  const held = program
    .command('held')
    .description('large transfers that wait for a second node: list, release, reject, reopen')

  held
    .command('list')
    .description('list what is held, oldest first')
    .option('--rejected', 'list what was rejected, and why')
    .option('--json', 'print an array')
    .action(async (options: { rejected?: true; json?: true }) => {
      await withDatabase('command', async pool => {
        const found: object[] = options.rejected
          ? (await listRejectedHeld(pool, listMax)).map(rejectedRow)
          : (await listHeld(pool, listMax)).map(heldRow)
        if (options.json) console.log(JSON.stringify(found, null, 2))
        else if (found.length > 0) console.table(found)
        else console.log(options.rejected ? 'nothing is rejected' : 'nothing is held')
      })
    })

  addDecision(held, 'release')
    .description('credit a held transfer on your own word, as if a second node had confirmed it')
    .action((id: string, options: DecisionOptions) => decide(releaseHeldByHand, id, options, 'released'))

  addDecision(held, 'reject')
    .description(
      'give up on a held transfer that proves made up: it takes no money, and what waits behind it goes on; refused while a second node confirms it',
    )
    .option('--without-nodes', 'ask no node: reject it on your own word')
    .action(reject)

  addDecision(held, 'reopen')
    .description('hold a rejected transfer again, until a second node confirms it')
    .action((id: string, options: DecisionOptions) => decide(reopenHeld, id, options, 'reopened'))
}

async function decide(
  carryOut: typeof reopenHeld,
  id: string,
  options: DecisionOptions,
  done: string,
): Promise<void> {
  const [transferId, decision] = [readId(id) as TransferId, decisionOf(options)]
  await withDatabase('command', async (pool, config) => {
    const rules = await readRules(pool, config.creditQuorumAmount)
    console.log(decidedText(`transfer ${id}`, await carryOut(pool, rules, transferId, decision), done))
  })
}

async function reject(id: string, options: DecisionOptions & { withoutNodes?: true }): Promise<void> {
  const [transferId, decision] = [readId(id) as TransferId, decisionOf(options)]
  await withDatabase('command', async (pool, config) => {
    const rules = await readRules(pool, config.creditQuorumAmount)
    const confirm = options.withoutNodes ? null : (held: HeldTransfer) => ask(config, rules, held)
    const decided = await rejectHeld(pool, rules, transferId, decision, confirm)
    if (decided.kind === 'confirmed') {
      throw new Error(
        `transfer ${id} is not rejected: a second node confirms it, and the watcher will credit it`,
      )
    }
    if (decided.kind === 'unanswered') {
      throw new Error(
        `transfer ${id} is not rejected: no second node could be asked (${decided.note}); ` +
          'try again later, or use --without-nodes to reject it on your own word',
      )
    }
    console.log(decidedText(`transfer ${id}`, decided, 'rejected'))
  })
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

function rowOf({ id, amount, address, height, txid, logIndex, node, since }: ListedHeld) {
  return {
    ...{ id: `${id}`, usdt: formatUsdt(amount), address, block: height, txid, logIndex, node },
    since: since.toISOString(),
  }
}

import type { Command } from 'commander'
import { UsageError } from '../base/errors.ts'
import type { TransferId } from '../base/ids.ts'
import { formatUsdt } from '../base/money.ts'
import { type AssignTarget, assignRefusals, assignUnclaimed } from '../credits/assign-unclaimed.ts'
import { readRules } from '../credits/credit-rules.ts'
import { settleOutside } from '../credits/settle-outside.ts'
import { type ListedUnclaimed, listUnclaimedPage } from '../credits/unclaimed-store.ts'
import { addIdList } from './id-page-options.ts'
import { addDecision, type DecisionOptions, decidedText, decisionFrom, readId } from './operator.ts'
import { withDatabase } from './with-database.ts'

interface AssignOptions extends DecisionOptions {
  ordersn?: string
  orderid?: string
  user?: string
}

export function addUnclaimedCommands(program: Command): void {
  const unclaimed = program
    .command('unclaimed')
    .description('transfers that belong to no order: list, assign to an order or user, settle outside')

  addIdList(unclaimed, {
    description: 'list unclaimed transfers, oldest first',
    read: listUnclaimedPage,
    row: unclaimedRow,
    none: 'nothing is unclaimed',
  })

  addDecision(unclaimed, 'assign')
    .description(
      'credit an unclaimed transfer to an order or a user of the same merchant, who is called back as usual',
    )
    .option('--ordersn <ordersn>', 'to the order with this number of ours (cz-...)')
    .option('--orderid <orderid>', "to the order with this id of the merchant's own")
    .option('--user <localusermark>', 'to this user, as a deposit; for merchants with deposits on')
    .action(assign)

  addDecision(unclaimed, 'settle')
    .description(
      'mark an unclaimed transfer as settled outside: no order gets it; `gateway marks withdraw` takes that back',
    )
    .action(async (text: string, options: DecisionOptions) => {
      const [id, decision] = [readId(text) as TransferId, decisionFrom(options)]
      await withDatabase('command', async (pool, config) => {
        const rules = await readRules(pool, config.creditQuorumAmount)
        const settled = await settleOutside(pool, rules, id, decision)
        if (settled.kind === 'refused') throw refusal(text, settled.code)
        console.log(decidedText(`transfer ${text}`, settled, 'settled outside'))
      })
    })
}

async function assign(text: string, options: AssignOptions): Promise<void> {
  const [id, decision, target] = [readId(text) as TransferId, decisionFrom(options), targetOf(options)]
  await withDatabase('command', async (pool, config) => {
    const rules = await readRules(pool, config.creditQuorumAmount)
    const assigned = await assignUnclaimed(pool, rules, id, target, decision)
    if (assigned.kind === 'refused') throw refusal(text, assigned.code)
    console.log(decidedText(`transfer ${text}`, assigned, 'assigned'))
  })
}

function refusal(id: string, code: keyof typeof assignRefusals): UsageError {
  return new UsageError(`transfer ${id}: ${assignRefusals[code]} (${code})`)
}

function targetOf({ ordersn, orderid, user }: AssignOptions): AssignTarget {
  const given = [ordersn, orderid, user].filter(one => one !== undefined)
  if (given.length !== 1) throw new UsageError('give one of --ordersn, --orderid and --user')
  if (ordersn !== undefined) return { ordersn }
  return orderid !== undefined ? { orderid } : { localusermark: user! }
}

function unclaimedRow({ id, amount, time, height, ...unclaimed }: ListedUnclaimed) {
  const { appid, localusermark, address, from, txid, logIndex } = unclaimed
  return {
    ...{ id: `${id}`, usdt: formatUsdt(amount), appid, localusermark, address, from, block: height },
    ...{ paid: time.toISOString(), txid, logIndex },
  }
}

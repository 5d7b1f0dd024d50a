import type { Command } from 'commander'
import { believeProducers } from '../credits/believe-producers.ts'
import { readRules } from '../credits/credit-rules.ts'
import { rewindChain } from '../credits/rewind-chain.ts'
import { addReasoned, type DecisionOptions, decisionFrom } from './operator.ts'
import { readHeight } from './rescan-commands.ts'
import { withDatabase } from './with-database.ts'
import { withNodes } from './with-nodes.ts'

export function addChainCommands(program: Command): void {
  const chain = program.command('chain').description('where the gateway is in the chain')
  addReasoned(chain.command('rewind'))
    .description(
      'go back to an earlier block that the nodes of TRON_NODES show, and follow the chain again from there; refuses while a transfer above it is recorded that they do not show',
    )
    .requiredOption('--to <height>', 'the block to go back to')
    .action(async (options: DecisionOptions & { to: string }) => {
      const height = readHeight('--to', options.to)
      const decision = decisionFrom(options)
      await withDatabase('rescan', async (pool, config) => {
        const rules = await readRules(pool, config.creditQuorumAmount)
        const done = await withNodes(config, rules, nodes => rewindChain(pool, nodes, height, decision))
        const { from, to, transfers, parked } = done
        console.log(`the cursor is at ${to.height} (${to.hash}); it was at ${from.height} (${from.hash})`)
        if (transfers > 0) console.log(`${transfers} transfers above it are recorded, and stay so`)
        if (parked.length > 0)
          console.log(`${parked.length} blocks above it were parked; they are asked for anew`)
      })
    })

  addReasoned(chain.command('producers'))
    .description(
      'ask the hosts of TRON_NODES for the block producers and believe them, also a single host; for when the alarm uncounted stays, since they are others than those that are known',
    )
    .action(async (options: DecisionOptions) => {
      const decision = decisionFrom(options)
      await withDatabase('rescan', async (pool, config) => {
        const rules = await readRules(pool, config.creditQuorumAmount)
        const { added, known } = await withNodes(config, rules, nodes =>
          believeProducers(pool, nodes, decision),
        )
        console.log(
          `${added} of ${known} producers are new, or have new keys; watchers use them within a minute`,
        )
      })
    })
}

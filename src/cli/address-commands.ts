import type { Command } from 'commander'
import { type ImportedAddresses, importAddresses } from '../addresses/import-address.ts'
import { readRules } from '../credits/credit-rules.ts'
import { importFromBlock } from '../credits/import-from-block.ts'
import { withJob } from '../db/job-store.ts'
import { type AddressExport, exportAddresses } from './export-addresses.ts'
import { withExportPool } from './export-commands.ts'
import { type AuthorOptions, addAuthor, authorFrom } from './operator.ts'
import { readHeight, rescannedText, sayProgress } from './rescan-commands.ts'
import { withDatabase } from './with-database.ts'
import { withNodes } from './with-nodes.ts'

export function addAddressCommands(program: Command): void {
  const address = program
    .command('address')
    .alias('addresses')
    .description('deposit addresses: import, export')

  addAuthor(address.command('import'))
    .description("watch addresses for a user; the first becomes the user's base address if there is none")
    .requiredOption('--appid <appid>', 'the merchant')
    .requiredOption('--localusermark <mark>', "the user, by the merchant's mark")
    .option('--orderid <orderid>', 'the order that a skipped address was assigned to, before a restore')
    .option('--from-block <height>', 'credit payments from this block on; default: from now on')
    .argument('<address...>', 'TRON addresses, T...')
    .action(
      async (
        addresses: string[],
        options: AuthorOptions & {
          appid: string
          localusermark: string
          orderid?: string
          fromBlock?: string
        },
      ) => {
        const { fromBlock: given, appid, localusermark, orderid } = options
        const user = { appid, localusermark, orderid, ...authorFrom(options) }
        const fromBlock = given === undefined ? undefined : readHeight('--from-block', given)
        await withDatabase(fromBlock === undefined ? 'command' : 'rescan', async (pool, config) => {
          const request = { ...user, addresses }
          if (fromBlock === undefined) return sayImported(await importAddresses(pool, request))
          const rules = await readRules(pool, config.creditQuorumAmount)
          const say = sayProgress(fromBlock)
          const job = {
            ...{ kind: 'import_from_block' as const, by: user.actor },
            subject: `merchant ${request.appid}, from block ${fromBlock}`,
          }
          const done = await withJob(pool, job, report =>
            withNodes(config, rules, (nodes, proving) =>
              importFromBlock(pool, proving, nodes, { ...request, fromBlock }, (read, to) => {
                report(read.blocks, to - fromBlock + 1)
                say(read, to)
              }),
            ),
          )
          sayImported(done)
          console.log(rescannedText({ from: fromBlock, to: done.to }, done.read))
        })
      },
    )

  address
    .command('export')
    .description('print addresses with what they received, as CSV, for collecting the money')
    .option('--merchant <appid>', 'of one merchant')
    .option('--all', 'those too that received nothing')
    .option('--balance', 'ask a node (TRON_NODES) what each holds now; one request for each')
    .option('--csv', 'the format; there is no other')
    .option('--bom', 'begin with a byte order mark: Excel shows Chinese rightly then')
    .action(async (asked: AddressExport) => {
      await withExportPool(async (pool, config) => {
        const failed = await exportAddresses(pool, config, asked)
        if (failed === 0) return
        console.error(`${failed} balances could not be read and are empty`)
        process.exitCode = 1
      })
    })
}

function sayImported({ imported, known, adopted }: ImportedAddresses): void {
  const skipped = adopted.length > 0 ? `, skipped after a restore: ${adopted.length}` : ''
  console.log(`imported: ${imported.length}, already watched: ${known.length}${skipped}`)
}

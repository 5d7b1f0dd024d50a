import type { Command } from 'commander'
import { importAddresses } from '../addresses/import-address.ts'
import { readCursor } from '../blocks/chain-store.ts'
import { readHeight, runRescan } from './rescan-commands.ts'
import { withDatabase } from './with-database.ts'

export function addAddressCommands(program: Command): void {
  const address = program.command('address').description('deposit addresses that we did not derive')

  address
    .command('import')
    .description(
      "watch addresses as a user's own; the first becomes the user's base address if there is none",
    )
    .requiredOption('--appid <appid>', 'the merchant')
    .requiredOption('--localusermark <mark>', "the user, by the merchant's mark")
    .option('--from-block <height>', 'count what they were paid from this block on; default: from now on')
    .argument('<address...>', 'TRON addresses, T...')
    .action(
      async (addresses: string[], options: { appid: string; localusermark: string; fromBlock?: string }) => {
        const { fromBlock: given, ...user } = options
        const fromBlock = given === undefined ? undefined : readHeight('--from-block', given)
        await withDatabase(fromBlock === undefined ? [] : ['TRON_NODES'], async (pool, config) => {
          const { imported, known, adopted } = await importAddresses(pool, { ...user, addresses, fromBlock })
          const skipped = adopted.length > 0 ? `, skipped after a restore: ${adopted.length}` : ''
          console.log(`imported: ${imported.length}, watched already: ${known.length}${skipped}`)
          if (fromBlock === undefined) return
          // They are watched by now: nothing falls between the last block that is read again and the next one followed.
          const { height } = (await readCursor(pool))!
          await runRescan(pool, config, { from: fromBlock, to: height })
        })
      },
    )
}

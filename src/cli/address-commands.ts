import type { Command } from 'commander'
import { importAddresses } from '../addresses/import-address.ts'
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
    .argument('<address...>', 'TRON addresses, T...')
    .action(async (addresses: string[], options: { appid: string; localusermark: string }) => {
      await withDatabase([], async pool => {
        const { imported, known } = await importAddresses(pool, { ...options, addresses })
        console.log(`imported: ${imported.length}, watched already: ${known.length}`)
      })
    })
}

import type { Command } from 'commander'
import { resealSecrets } from '../merchants/reseal-secrets.ts'
import { actorOf, byOption } from './operator.ts'
import { withDatabase } from './with-database.ts'

export function addResealCommand(program: Command): void {
  program
    .command('reseal')
    .description(
      "seal merchants' keys and secrets for their own rows, once all processes run this release; older ones cannot read them",
    )
    .addOption(byOption())
    .action(async ({ by }: { by?: string }) => {
      await withDatabase('sealing', async (pool, config) => {
        const { resealed, unopened } = await resealSecrets(pool, config.masterKey, { actor: actorOf(by) })
        console.log(`${resealed} keys and secrets sealed again`)
        for (const { table, id } of unopened)
          console.error(`${table} ${id}: not opened by MASTER_KEY, left as it is`)
        if (unopened.length > 0) process.exitCode = 1
      })
    })
}

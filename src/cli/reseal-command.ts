import type { Command } from 'commander'
import { resealSecrets } from '../merchants/reseal-secrets.ts'
import { type AuthorOptions, addAuthor, authorFrom } from './operator.ts'
import { withDatabase } from './with-database.ts'

export function addResealCommand(program: Command): void {
  addAuthor(program.command('reseal'))
    .description(
      "seal merchants' keys and secrets for their own rows, once all processes run this release; older ones cannot read them",
    )
    .action(async (options: AuthorOptions) => {
      const author = authorFrom(options)
      await withDatabase('sealing', async (pool, config) => {
        const { resealed, unopened } = await resealSecrets(pool, config.masterKey, author)
        console.log(`${resealed} keys and secrets sealed again`)
        for (const { table, id } of unopened)
          console.error(`${table} ${id}: not opened by MASTER_KEY, left as it is`)
        if (unopened.length > 0) process.exitCode = 1
      })
    })
}

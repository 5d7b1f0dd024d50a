import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Tx } from './pool.ts'

/**
 * The functions and views that may be replaced, each after those it uses. Whoever calls several of them in one transaction
 * does so in this order too, or replacing them could deadlock with that.
 */
const routines: readonly { name: string; uses: readonly string[] }[] = [
  { name: 'make_month_partitions', uses: [] },
  { name: 'drop_month_partitions', uses: [] },
  { name: 'callback_state', uses: [] },
  { name: 'due_lane', uses: [] },
  { name: 'callback_facts', uses: [] },
  { name: 'lease_callbacks', uses: ['due_lane', 'callback_facts'] },
  { name: 'due_callback_url', uses: [] },
  { name: 'payable_orders', uses: [] },
  { name: 'current_history', uses: [] },
  { name: 'settled_transfer', uses: [] },
  { name: 'may_assign', uses: ['current_history'] },
]

/**
 * Applies each routine whose file, or the file of one it uses, is not what the database has by its checksum. The caller's
 * transaction holds the migrations' lock, limits the waiting for locks, and commits all of them or none.
 *
 * A file replaces its routine whatever is there, and may be run again. Code from before calls the new one, so a signature
 * stays until no such code runs. A migration that drops a routine deletes its row of schema_routine as well.
 * @param folder prisma/routines/, one file for each.
 * @returns the names of those applied.
 * @throws Error naming the routine that failed: its SQL is wrong, or somebody uses it for longer than we may wait.
 */
export async function applyRoutines(tx: Tx, folder: URL): Promise<string[]> {
  const files = await readRoutines(folder)
  const { rows } = await tx.query<{ name: string; checksum: string }>(
    `select name, checksum from schema_routine`,
  )
  const recorded = new Map(rows.map(({ name, checksum }) => [name, checksum]))
  const changed = files.filter(({ name, checksum }) => recorded.get(name) !== checksum)
  await tx.query(`set local statement_timeout = '15s'`)
  for (const { name, sql, checksum } of changed) {
    await tx.query(sql).catch(cause => {
      throw new Error(`routine ${name} was not applied, nor any other: ${cause.message}`, { cause })
    })
    await tx.query(
      `insert into schema_routine (name, checksum)
       values ($1, $2)
       on conflict (name) do update set checksum = excluded.checksum, applied_at = now()`,
      [name, checksum],
    )
  }
  return changed.map(({ name }) => name)
}

/** Reads the files. A checksum covers what the routine uses too: rebuilt, that may have taken the routine with it. */
async function readRoutines(folder: URL): Promise<{ name: string; sql: string; checksum: string }[]> {
  const texts = new Map<string, string>()
  for (const { name } of routines) texts.set(name, await readFile(new URL(`${name}.sql`, folder), 'utf8'))
  return routines.map(({ name, uses }) => {
    const hash = createHash('sha256')
    for (const text of [...uses, name].map(used => texts.get(used)!)) hash.update(text)
    return { name, sql: texts.get(name)!, checksum: hash.digest('hex') }
  })
}

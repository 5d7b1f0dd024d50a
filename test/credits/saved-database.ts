import type { Pool } from '../../src/db/pool.ts'
import { emptyDatabase } from '../support/database.ts'

/** A table's rows at a moment, as JSON, and the columns that are its own to set. */
interface SavedTable {
  columns: string
  rows: string
}

/** All rows of a database at a moment, by table; those without rows are not there. */
export type SavedDatabase = ReadonlyMap<string, SavedTable>

/** Takes down every row: a backup, as far as rows go. */
export async function saveDatabase(pool: Pool): Promise<SavedDatabase> {
  const { rows: tables } = await pool.query(
    `select quote_ident(relname) as name,
            (select string_agg(quote_ident(attname), ', ' order by attnum)
               from pg_attribute
              where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '') as columns
       from pg_class c
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
        and relname not in ('_prisma_migrations', 'schema_routine', 'merchant_version')`,
  )
  const { rows } = await pool.query(
    tables.map(({ name }) => `(select json_agg(t)::text as rows from ${name} t)`).join(' union all '),
  )
  return new Map(
    tables
      .map(({ name, columns }, i): [string, SavedTable] => [name, { columns, rows: rows[i].rows }])
      .filter(([, table]) => table.rows !== null),
  )
}

/** Puts the rows back and nothing else; sequences go on from where they are, so that what is written anew has other ids. */
export async function restoreDatabase(pool: Pool, saved: SavedDatabase): Promise<void> {
  await emptyDatabase(pool)
  const client = await pool.connect()
  try {
    // The chain of the audit as it was, too, whose first event an emptied database keeps.
    await client.query(
      `begin; set local session_replication_role = replica; delete from audit_event; delete from audit_chain`,
    )
    for (const [name, { columns, rows }] of saved) {
      await client.query(
        `insert into ${name} (${columns}) overriding system value
         select ${columns} from json_populate_recordset(null::${name}, $1)`,
        [rows],
      )
    }
    await client.query('commit')
  } finally {
    // Should it have failed, the connection is in no state to be used again.
    client.release(true)
  }
}

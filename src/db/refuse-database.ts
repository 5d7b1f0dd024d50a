import { UsageError } from '../base/errors.ts'
import { type Pool, rows } from './pool.ts'

/** The oldest Postgres that has what our migrations use. */
const versionMin = 14

interface DatabaseFacts {
  version: number
  versionText: string
  encoding: string
  readOnly: boolean
  inRecovery: boolean
  /** The versions of the collation's library: that the indexes were built with, and now. null: not known, or it has none. */
  collatedWith: string | null
  collationNow: string | null
  /** Another schema that has our tables, while `public` has none. */
  elsewhere: string | null
}

/**
 * Checks what no session can set, and refuses a database that cannot work.
 * @throws UsageError with a sentence for each property of the database that cannot work.
 */
export async function refuseUnfitDatabase(pool: Pool): Promise<void> {
  const problems = problemsOf(await readFacts(pool))
  if (problems.length > 0) throw new UsageError(problems)
}

function problemsOf(facts: DatabaseFacts): string[] {
  const { version, versionText, encoding, inRecovery, readOnly, collatedWith, collationNow, elsewhere } =
    facts
  const problems: string[] = []
  if (version < versionMin)
    problems.push(`the database is Postgres ${versionText}: the gateway needs ${versionMin} or newer`)
  if (encoding !== 'UTF8')
    problems.push(
      `the database's encoding is ${encoding}: create one with "encoding 'UTF8' template template0" instead`,
    )
  if (inRecovery) problems.push('the database is a standby, which cannot be written: name the primary')
  else if (readOnly)
    problems.push('the database is read-only (default_transaction_read_only): it must be written')
  if (collatedWith !== null && collationNow !== null && collatedWith !== collationNow)
    problems.push(
      `the database's indexes were built with version ${collatedWith} of its collation, and the server now has ` +
        `${collationNow}: an order may not be found by its orderid. Run "reindex database", then "alter database ... ` +
        'refresh collation version"',
    )
  if (elsewhere !== null)
    problems.push(
      `the gateway's tables are in the schema ${elsewhere}, and it uses the schema public: move them there ` +
        '("alter table ... set schema public"), or use a new database',
    )
  return problems
}

async function readFacts(pool: Pool): Promise<DatabaseFacts> {
  const [facts] = await rows<DatabaseFacts>(
    pool,
    `select current_setting('server_version_num')::integer / 10000 as version,
            current_setting('server_version') as "versionText",
            pg_encoding_to_char(d.encoding) as encoding,
            pg_is_in_recovery() as "inRecovery",
            current_setting('transaction_read_only') = 'on' as "readOnly",
            to_jsonb(d) ->> 'datcollversion' as "collatedWith",
            null as "collationNow",
            (select quote_ident(t.schemaname)
               from pg_tables t
              where t.tablename = 'chain_cursor' and to_regclass('public.chain_cursor') is null
              limit 1) as elsewhere
       from pg_database d
      where d.datname = current_database()`,
  )
  if (facts!.collatedWith === null) return facts!
  // Postgres 15 and newer, which alone record the version.
  const [now] = await rows<{ version: string | null }>(
    pool,
    `select pg_database_collation_actual_version(oid) as version from pg_database where datname = current_database()`,
  )
  return { ...facts!, collationNow: now!.version }
}

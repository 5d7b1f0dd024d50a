import { UsageError } from '../base/errors.ts'
import { checkSchema, saysNotMigrated } from '../db/check-schema.ts'
import { lastingRefusal } from '../db/outage.ts'
import { type Pool, rows } from '../db/pool.ts'
import { type Finding, look, messageOfFailure, ok, wrong } from './finding.ts'

interface DatabaseFacts {
  version: string
  number: number
  role: string
  isSuperuser: boolean
  megabytes: number
  maxConnections: number
  connections: number
  nowMs: number
  isReadOnly: boolean
  mayWrite: boolean
  mayCreate: boolean
  settings: Record<string, string>
}

const area = 'database'
const oldest = 140_000
const skewMaxMs = 2_000
/** What every commit's durability rests on. */
const durable: Record<string, string> = { fsync: 'on', full_page_writes: 'on' }

/** Says whether the database is one that can be relied on: its version, its settings, our rights, its clock, its schema. */
export async function checkDatabase(pool: Pool, now: () => number): Promise<Finding[]> {
  let facts: DatabaseFacts
  const before = now()
  try {
    facts = await readFacts(pool)
  } catch (error) {
    return [wrong(area, lastingRefusal(error) ?? `cannot be reached: ${messageOfFailure(error)}`)]
  }
  // Somewhere between the question and the answer.
  const skewMs = Math.max(0, before - facts.nowMs, facts.nowMs - now())
  const { version, number, role, megabytes, connections, maxConnections } = facts
  const room = maxConnections - connections
  return [
    (number < oldest ? wrong : ok)(
      area,
      `Postgres ${version}${number < oldest ? ': 14 or newer is needed' : ''}`,
    ),
    ok(area, `${megabytes} MB; ${connections} of ${maxConnections} connections in use`),
    ...(room < 10 ? [look(area, `only ${room} connections are free`)] : []),
    ...rightsOf(facts).map(says => wrong(area, says)),
    ...(facts.isSuperuser ? [look(area, `role ${role} is a superuser: one of its own is enough`)] : []),
    ...settingsOf(facts),
    (skewMs > skewMaxMs ? wrong : ok)('clock', `database and this machine differ by ${skewMs} ms at least`),
    await schemaOf(pool),
  ]
}

async function readFacts(pool: Pool): Promise<DatabaseFacts> {
  const [facts] = await rows<DatabaseFacts>(
    pool,
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
            current_user as role, (select rolsuper from pg_roles where rolname = current_user) as "isSuperuser",
            (pg_database_size(current_database()) / 1000000)::int as megabytes,
            current_setting('max_connections')::int as "maxConnections",
            (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
            (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs",
            pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as "isReadOnly",
            coalesce(has_table_privilege(to_regclass('chain_cursor'), 'update'), true) as "mayWrite",
            has_database_privilege(current_database(), 'create') as "mayCreate",
            (select json_object_agg(name, setting) from pg_settings
              where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'TimeZone', 'DateStyle')) as settings`,
  )
  return facts!
}

function rightsOf({ isReadOnly, mayWrite, mayCreate, role }: DatabaseFacts): string[] {
  return [
    ...(isReadOnly ? ['it is read only: a standby, or default_transaction_read_only'] : []),
    ...(mayWrite ? [] : [`role ${role} may not change the gateway's tables`]),
    ...(mayCreate ? [] : [`role ${role} may not create schemas, which \`gateway migrate\` does`]),
  ]
}

function settingsOf({ settings }: DatabaseFacts): Finding[] {
  const lossy = Object.entries(durable).filter(([name, value]) => settings[name] !== value)
  const { synchronous_commit: commit, TimeZone: zone, DateStyle: style } = settings
  return [
    ...lossy.map(([name, value]) =>
      wrong(area, `${name} is ${settings[name]}: a crash of the server can lose money. Set it to ${value}`),
    ),
    ...(commit === 'off'
      ? [wrong(area, 'synchronous_commit is off: a crash of the server loses what was answered')]
      : []),
    ok(area, `synchronous_commit ${commit}, TimeZone ${zone}, DateStyle ${style}`),
  ]
}

async function schemaOf(pool: Pool): Promise<Finding> {
  try {
    await checkSchema(pool)
    return ok('schema', 'fits this version')
  } catch (error) {
    const notMigrated = saysNotMigrated(error)
    if (notMigrated !== null) return wrong('schema', notMigrated)
    if (error instanceof UsageError) return wrong('schema', error.message)
    throw error
  }
}

/** Says what is known here of backups: whether WAL is archived, and whether a standby is connected. A dump leaves no trace. */
export async function checkBackups(pool: Pool): Promise<Finding[]> {
  const [facts] = await rows<{ mode: string; ageS: number | null; failed: boolean; standbys: number }>(
    pool,
    `select current_setting('archive_mode') as mode,
            extract(epoch from now() - last_archived_time)::float8 as "ageS",
            coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) as failed,
            (select count(*)::int from pg_stat_replication) as standbys
       from pg_stat_archiver`,
  )
  const { mode, ageS, failed, standbys } = facts!
  const beside = `${standbys} standbys connected`
  if (mode === 'off') {
    const advice =
      standbys > 0 ? '' : ': is there a dump each day? The database does not know (docs/backup.md)'
    return [look('backup', `WAL is not archived, ${beside}${advice}`)]
  }
  if (failed) return [wrong('backup', `archiving WAL fails, ${beside}`)]
  const age =
    ageS === null ? 'nothing archived yet' : `last WAL archived ${Math.round(ageS / 60)} minutes ago`
  return [(ageS !== null && ageS < 86_400 ? ok : look)('backup', `${age}, ${beside}`)]
}

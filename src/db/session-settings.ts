import type pg from 'pg'

/** What a session of ours is set to beyond what all have. */
export interface SessionNeeds {
  /** The schema of its tables. */
  schema: string
  /** When the server cancels a statement; 0: never. */
  statementTimeoutMs: number
}

interface SessionSetting {
  name: string
  value: string
  /** Only this value is replaced. By default every other one is. */
  instead?: string
  /** Whether another value works too, where we cannot set ours. By default none does. */
  works?: (value: string) => boolean
}

const anyValue = () => true

/** What our code relies on, whatever the database, the role or the server have as defaults, and why. */
const ownSettings: readonly SessionSetting[] = [
  // What we send, and how we read what comes.
  { name: 'client_encoding', value: 'UTF8' },
  { name: 'standard_conforming_strings', value: 'on' },
  { name: 'bytea_output', value: 'hex' },
  { name: 'array_nulls', value: 'on' },
  { name: 'extra_float_digits', value: '1', works: value => Number(value) >= 1 },
  // Prisma takes the text of a time for UTC. The order of day and month counts only in what is not ISO.
  { name: 'DateStyle', value: 'ISO, MDY', works: value => value.startsWith('ISO') },
  {
    name: 'TimeZone',
    value: 'UTC',
    works: value => /^(Etc\/)?(UTC|UCT|GMT|Universal|Zulu|Greenwich)$/i.test(value),
  },
  { name: 'IntervalStyle', value: 'postgres' },
  // Statements that wait for a lock read the row again, as committed meanwhile.
  { name: 'default_transaction_isolation', value: 'read committed' },
  // An order that was answered must be on disk. Any stricter value stays.
  { name: 'synchronous_commit', value: 'on', instead: 'off', works: value => value !== 'off' },
  // Limits are ours: statement_timeout, and what a transaction sets itself. An idle connection is not a forgotten one.
  { name: 'lock_timeout', value: '0', works: anyValue },
  { name: 'transaction_timeout', value: '0', works: anyValue },
  { name: 'idle_session_timeout', value: '0', works: anyValue },
  { name: 'idle_in_transaction_session_timeout', value: '30000', works: anyValue },
  // A session whose process is gone without a word ends in a minute, instead of two hours: it counts as a connection.
  { name: 'tcp_keepalives_idle', value: '30', works: anyValue },
  { name: 'tcp_keepalives_interval', value: '10', works: anyValue },
  { name: 'tcp_keepalives_count', value: '3', works: anyValue },
  // The migrations' warnings are logged.
  { name: 'client_min_messages', value: 'notice', works: anyValue },
]

function settingsFor({ schema, statementTimeoutMs }: SessionNeeds): SessionSetting[] {
  const inPublic = (value: string) => schema === 'public' && /^("\$user", ?)?public$/.test(value)
  return [
    ...ownSettings,
    { name: 'search_path', value: schema, works: inPublic },
    { name: 'statement_timeout', value: `${statementTimeoutMs}`, works: anyValue },
  ]
}

/**
 * Sets the session, when it is one of our own. Settings that this version of Postgres does not have are left out.
 * @param backend the process id that the server gave at the connection; null: whatever it is.
 * @returns false when the session belongs to another process: a proxy is in between, and nothing was set.
 */
export async function setSession(
  client: pg.ClientBase,
  needs: SessionNeeds,
  backend: number | null,
): Promise<boolean> {
  const settings = settingsFor(needs)
  const { rows } = await client.query<{ own: boolean }>({
    text: `
      select own, (select count(set_config(s.name, s.value, false))
                     from unnest($2::text[], $3::text[], $4::text[]) as s (name, value, instead)
                    where own and current_setting(s.name, true) is not null
                      and s.instead in ('', current_setting(s.name, true)))
        from (select coalesce($1::integer = pg_backend_pid(), true) as own) b`,
    values: [
      backend,
      settings.map(({ name }) => name),
      settings.map(({ value }) => value),
      settings.map(({ instead = '' }) => instead),
    ],
    ...withinTime,
  })
  return rows[0]!.own
}

/** How long setting a session may take, or asking for its settings. pg's types lack the option. */
export const withinTime: object = { query_timeout: 5_000 }

/**
 * Reads what the database and the role give a session by themselves, and finds what does not work.
 * @returns a setting for each, with the value that works, as `alter role ... set` writes it.
 */
export async function findUnfit(client: pg.ClientBase, needs: SessionNeeds): Promise<string[]> {
  const settings = settingsFor(needs)
  // reset_val is what a session begins with, whatever anybody has set in it since.
  const { rows } = await client.query<{ name: string; value: string }>({
    text: `select name, reset_val as value from pg_settings where name = any($1::text[])`,
    values: [settings.map(({ name }) => name)],
    ...withinTime,
  })
  const values = new Map(rows.map(({ name, value }) => [name, value]))
  return settings
    .filter(({ name, value, works }) => {
      const given = values.get(name)
      return given !== undefined && given !== value && !works?.(given)
    })
    .map(({ name, value }) => (name === 'search_path' ? `${name} = ${value}` : `${name} = '${value}'`))
}

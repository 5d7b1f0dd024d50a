import { type Queryable, rows, run } from '../db/pool.ts'

/** Failures that one key may have, and for how long they count from the first. */
interface Limit {
  key: string
  max: number
}

const windowMinutes = 15
const perAddress = 30
const perAccountAndAddress = 6
/** Of an account, from everywhere. Its person still gets in from an address where they signed in within a month. */
const perAccount = 60

/**
 * Checks whether a sign-in may be tried. Kept in the database, so that a restart forgives nothing.
 * @param address the client's, as limits count it. @param email what was typed: accounts that do not exist count the same.
 * @returns seconds until the next try; null: now.
 */
export async function signInWait(db: Queryable, address: string, email: string): Promise<number | null> {
  const limits = limitsOf(address, email)
  const found = await rows<{ key: string; failures: number; seconds: number }>(
    db,
    `select key, failures, ceil(extract(epoch from until - now()))::int as seconds
       from sign_in_failure
      where key = any($1) and until > now()`,
    [limits.map(({ key }) => key)],
  )
  const over = found.filter(({ key, failures }) => failures >= limits.find(limit => limit.key === key)!.max)
  if (over.length === 0) return null
  if (over.every(({ key }) => key === accountKey(email)) && (await isKnown(db, address, email))) return null
  return Math.max(1, ...over.map(({ seconds }) => seconds))
}

/** Counts a sign-in that failed. */
export async function countFailure(db: Queryable, address: string, email: string): Promise<void> {
  await run(
    db,
    `insert into sign_in_failure as f (key, failures, until)
     select key, 1, now() + make_interval(mins => $2) from unnest($1::text[]) as key order by key
     on conflict (key) do update
        set failures = case when f.until > now() then f.failures + 1 else 1 end,
            until = case when f.until > now() then f.until else excluded.until end`,
    [limitsOf(address, email).map(({ key }) => key), windowMinutes],
  )
}

/** Forgets the failures of an account at an address: its person is in. */
export async function forgiveFailures(db: Queryable, address: string, email: string): Promise<void> {
  await run(db, `delete from sign_in_failure where key = $1`, [pairKey(address, email)])
}

/** Removes what counts no more. */
export async function purgeFailures(db: Queryable): Promise<void> {
  await run(db, `delete from sign_in_failure where until < now()`)
}

async function isKnown(db: Queryable, address: string, email: string): Promise<boolean> {
  const found = await rows(
    db,
    `select
       from console_session s
       join console_user u on u.id = s.user_id
      where u.email = $1 and s.address = $2 and s.signed_in_at > now() - interval '30 days'
      limit 1`,
    [email, address],
  )
  return found.length > 0
}

const accountKey = (email: string): string => `account ${email.slice(0, 254)}`
const pairKey = (address: string, email: string): string => `at ${address} ${email.slice(0, 254)}`

function limitsOf(address: string, email: string): Limit[] {
  return [
    { key: `address ${address}`, max: perAddress },
    { key: pairKey(address, email), max: perAccountAndAddress },
    { key: accountKey(email), max: perAccount },
  ]
}

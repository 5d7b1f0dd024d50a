import { inTransaction, type Pool, type Queryable, rows, run } from '../db/pool.ts'

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

/** What became of a try. `waitS`: it was not made, since there were too many before it; seconds until the next. */
export type Tried = 'right' | 'wrong' | { waitS: number }

/**
 * Checks a password or a code, if its account and address may try. It is counted as a failure before it is checked, and no more when
 * it was right: so of many tries at a time no more are made than of many in a row. Kept in the database, so that a restart forgives nothing.
 * @param by the client's address, as limits count it, and the mail address that was typed: accounts that do not exist count the same.
 */
export async function tryToSignIn(
  pool: Pool,
  by: { address: string; email: string },
  check: () => Promise<boolean>,
): Promise<Tried> {
  const waitS = await count(pool, by)
  if (waitS !== null) return { waitS }
  let isWrong = false
  try {
    isWrong = !(await check())
    return isWrong ? 'wrong' : 'right'
  } finally {
    // What failed without an answer says nothing about who tried.
    if (!isWrong) await uncount(pool, by)
  }
}

/** Counts a try. @returns seconds to wait, in which case it is not counted; null: it may be made. */
async function count(pool: Pool, by: { address: string; email: string }): Promise<number | null> {
  const limits = limitsOf(by)
  return inTransaction(pool, async tx => {
    const counted = await rows<{ key: string; failures: number; seconds: number }>(
      tx,
      `insert into sign_in_failure as f (key, failures, until)
       select key, 1, now() + make_interval(mins => $2) from unnest($1::text[]) as key order by key
       on conflict (key) do update
          set failures = case when f.until > now() then f.failures + 1 else 1 end,
              until = case when f.until > now() then f.until else excluded.until end
       returning key, failures, ceil(extract(epoch from until - now()))::int as seconds`,
      [limits.map(({ key }) => key), windowMinutes],
    )
    const over = counted.filter(({ key, failures }) => failures > limits.find(one => one.key === key)!.max)
    if (over.length === 0) return null
    if (over.every(({ key }) => key === accountKey(by.email)) && (await isKnown(tx, by))) return null
    await uncount(tx, by)
    return Math.max(1, ...over.map(({ seconds }) => seconds))
  })
}

async function uncount(db: Queryable, by: { address: string; email: string }): Promise<void> {
  const keys = limitsOf(by).map(({ key }) => key)
  await run(
    db,
    `with locked as (select key from sign_in_failure where key = any($1) order by key for update)
     update sign_in_failure f set failures = greatest(0, f.failures - 1) from locked where f.key = locked.key`,
    [keys],
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

async function isKnown(
  db: Queryable,
  { address, email }: { address: string; email: string },
): Promise<boolean> {
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

function limitsOf({ address, email }: { address: string; email: string }): Limit[] {
  return [
    { key: `address ${address}`, max: perAddress },
    { key: pairKey(address, email), max: perAccountAndAddress },
    { key: accountKey(email), max: perAccount },
  ]
}

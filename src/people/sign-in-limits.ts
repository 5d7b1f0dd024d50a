import { inTransaction, type Pool, type Queryable, rows, run } from '../db/pool.ts'
import type { PasswordTurn } from './password-turns.ts'

/** Failures that one key may have, and for how long they count from the first. */
interface Limit {
  key: string
  max: number
}

const windowMinutes = 15
const perAddress = 30
const perAccountAndAddress = 6
/** Of one session, or of one browser that is known. */
const perOwn = 6
/** Passwords of an account, from everywhere: whoever knows the mail address may use them up. */
const passwordsPerAccount = 60
/** Codes of an account. Only who has its password may use them up: fewer, since codes are short. */
const codesPerAccount = 12

/**
 * Right ones of an account, in browsers that are known, and in all others: checking them costs as much as checking wrong ones, and each
 * sign-in is recorded for good.
 */
const rightMax = 100

/** Who tries to sign in, or to confirm that it is them. */
export interface Trier {
  /** The client's address, as limits count it. */
  address: string
  /** The mail address that was typed: accounts that do not exist count the same. */
  email: string
  /** A code, or what a passkey signed, is tried by who has given the password. */
  what: 'password' | 'code'
  /**
   * Names a session, or a browser in which this account has signed in before; null: neither. It is counted by itself, so that what
   * strangers try keeps nobody out of their account.
   */
  own: string | null
}

/** What became of a try. `waitS`: it was not made, since there were too many before it; seconds until the next. */
export type Tried = 'right' | 'wrong' | { waitS: number }

/**
 * Checks a password or a code, if its account and address may try. It is counted as a failure before it is checked, and no more when
 * it was right: so of many tries at a time no more are made than of many in a row. Kept in the database, so that a restart forgives nothing.
 */
export async function tryToSignIn(pool: Pool, by: Trier, check: () => Promise<boolean>): Promise<Tried> {
  const limits = limitsOf(by)
  const waitS = (await waitAfterRight(pool, by)) ?? (await count(pool, limits))
  if (waitS !== null) return { waitS }
  let isWrong = false
  try {
    isWrong = !(await check())
    if (!isWrong) await add(pool, [rightKey(by)])
    return isWrong ? 'wrong' : 'right'
  } finally {
    // What failed without an answer says nothing about who tried.
    if (!isWrong) await uncount(pool, limits)
  }
}

/** @returns seconds to wait after too many right passwords; null: none. Strangers cannot bring it about. */
async function waitAfterRight(db: Queryable, by: Trier): Promise<number | null> {
  const [over] = await rows<{ seconds: number }>(
    db,
    `select ceil(extract(epoch from until - now()))::int as seconds
       from sign_in_failure
      where key = $1 and failures >= $2 and until > now()`,
    [rightKey(by), rightMax],
  )
  return over?.seconds ?? null
}

/** Adds one to what is counted by these keys. */
function add(
  db: Queryable,
  keys: readonly string[],
): Promise<{ key: string; failures: number; seconds: number }[]> {
  return rows(
    db,
    `insert into sign_in_failure as f (key, failures, until)
     select key, 1, now() + make_interval(mins => $2) from unnest($1::text[]) as key order by key
     on conflict (key) do update
        set failures = case when f.until > now() then f.failures + 1 else 1 end,
            until = case when f.until > now() then f.until else excluded.until end
     returning key, failures, ceil(extract(epoch from until - now()))::int as seconds`,
    [keys, windowMinutes],
  )
}

/** Counts a try. @returns seconds to wait, in which case it is not counted; null: it may be made. */
async function count(pool: Pool, limits: readonly Limit[]): Promise<number | null> {
  return inTransaction(pool, async tx => {
    const counted = await add(
      tx,
      limits.map(({ key }) => key),
    )
    const over = counted.filter(({ key, failures }) => failures > limits.find(one => one.key === key)!.max)
    if (over.length === 0) return null
    await uncount(tx, limits)
    return Math.max(1, ...over.map(({ seconds }) => seconds))
  })
}

async function uncount(db: Queryable, limits: readonly Limit[]): Promise<void> {
  await run(
    db,
    `with locked as (select key from sign_in_failure where key = any($1) order by key for update)
     update sign_in_failure f set failures = greatest(0, f.failures - 1) from locked where f.key = locked.key`,
    [limits.map(({ key }) => key)],
  )
}

/** Forgets the failures of an account at an address, and in its browser: its person is in. */
export async function forgiveFailures(db: Queryable, by: Trier): Promise<void> {
  const keys = [ownKey(by), pairKey({ ...by, what: 'password' }), pairKey({ ...by, what: 'code' })]
  await run(db, `delete from sign_in_failure where key = any($1)`, [keys])
}

/** When who tries has their password checked. */
export const turnOf = ({ own, address, email }: Trier): PasswordTurn =>
  own === null ? { by: address, known: false } : { by: email, known: true }

/** Removes what counts no more. */
export async function purgeFailures(db: Queryable): Promise<void> {
  await run(db, `delete from sign_in_failure where until < now()`)
}

const nameOf = (email: string): string => email.slice(0, 254)
const ownKey = ({ own }: Pick<Trier, 'own'>): string => `own ${own}`
const pairKey = ({ what, address, email }: Omit<Trier, 'own'>): string =>
  `${what} at ${address} ${nameOf(email)}`

const rightKey = ({ what, own, email }: Trier): string =>
  `right ${what} ${own === null ? 'of' : 'of known'} ${nameOf(email)}`

function limitsOf(by: Trier): Limit[] {
  const isCode = by.what === 'code'
  if (by.own !== null) return [{ key: ownKey(by), max: perOwn }]
  return [
    { key: `address ${by.address}`, max: perAddress },
    { key: pairKey(by), max: perAccountAndAddress },
    { key: `${by.what} of ${nameOf(by.email)}`, max: isCode ? codesPerAccount : passwordsPerAccount },
  ]
}

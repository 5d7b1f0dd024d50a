import { createHash } from 'node:crypto'
import type { UserId } from '../base/ids.ts'
import { type Queryable, rows, run } from '../db/pool.ts'

/** A browser that a person signed in with. */
export interface Session {
  userId: UserId
  /** null: the second factor is still missing. */
  signedInAt: Date | null
  /** When the second factor was last given; null: never in this session. */
  secondFactorAt: Date | null
  /** What a passkey must sign next; `setChallenge` writes it. */
  challenge: string | null
}

export interface ListedSession {
  /** Hex digits that name the session and do not open it. */
  name: string
  address: string
  userAgent: string
  createdAt: Date
  lastSeenAt: Date
}

/** A session ends so long after its last request, */
const idleHours = 12
/** and so long after its beginning. */
const lifeDays = 7
/** Without the second factor it is of no use for longer. */
const halfMinutes = 10

const counts = `s.ended_at is null and s.last_seen_at > now() - interval '${idleHours} hours'
  and s.created_at > now() - interval '${lifeDays} days'
  and (s.signed_in_at is not null or s.created_at > now() - interval '${halfMinutes} minutes')`

/** Reads a session that still counts, of a person who may sign in. */
export async function sessionOf(db: Queryable, id: string): Promise<(Session & { seenAgoS: number }) | null> {
  const [found] = await rows<Session & { seenAgoS: number }>(
    db,
    `select s.user_id as "userId", s.signed_in_at as "signedInAt", s.second_factor_at as "secondFactorAt", s.challenge,
            extract(epoch from now() - s.last_seen_at)::float8 as "seenAgoS"
       from console_session s
       join console_user u on u.id = s.user_id
      where s.id_hash = $1 and u.disabled_at is null and ${counts}`,
    [hashOf(id)],
  )
  return found ?? null
}

/** Notes that a session is in use. */
export async function touchSession(db: Queryable, id: string): Promise<void> {
  await run(db, `update console_session set last_seen_at = now() where id_hash = $1 and ended_at is null`, [
    hashOf(id),
  ])
}

/** Writes a new session, or what changed in one. One that has ended stays ended. */
export async function keepSession(
  db: Queryable,
  id: string,
  session: Omit<Session, 'challenge'>,
  from: { address: string; userAgent: string },
): Promise<void> {
  await run(
    db,
    `insert into console_session (id_hash, user_id, signed_in_at, second_factor_at, address, user_agent)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (id_hash) do update
        set signed_in_at = excluded.signed_in_at, second_factor_at = excluded.second_factor_at,
            last_seen_at = now()
      where console_session.user_id = excluded.user_id`,
    [
      hashOf(id),
      session.userId,
      session.signedInAt,
      session.secondFactorAt,
      from.address,
      // Hostile text: Postgres takes no NUL.
      from.userAgent.replace(/\p{Cc}/gu, ' ').slice(0, 300),
    ],
  )
}

/** Keeps what a passkey must sign next in a session; an earlier one counts no more. */
export async function setChallenge(db: Queryable, id: string, challenge: string): Promise<void> {
  await run(db, `update console_session set challenge = $2 where id_hash = $1 and ended_at is null`, [
    hashOf(id),
    challenge,
  ])
}

/** Uses up what a passkey was to sign. @returns false when it is not that any more. */
export async function takeChallenge(db: Queryable, id: string, challenge: string): Promise<boolean> {
  return (
    (await run(
      db,
      `update console_session set challenge = null where id_hash = $1 and challenge = $2 and ended_at is null`,
      [hashOf(id), challenge],
    )) === 1
  )
}

export async function endSession(db: Queryable, id: string): Promise<void> {
  await run(db, `update console_session set ended_at = now() where id_hash = $1 and ended_at is null`, [
    hashOf(id),
  ])
}

/** Ends one of a person's sessions by its name. @returns false when the person has no such session. */
export async function endNamedSession(db: Queryable, userId: UserId, name: string): Promise<boolean> {
  if (!/^[0-9a-f]{64}$/.test(name)) return false
  const ended = await run(
    db,
    `update console_session set ended_at = now() where id_hash = $1 and user_id = $2 and ended_at is null`,
    [Buffer.from(name, 'hex'), userId],
  )
  return ended === 1
}

/** Ends a person's sessions. @param keep the id of one that stays. */
export async function endSessionsOf(db: Queryable, userId: UserId, keep?: string): Promise<number> {
  return run(
    db,
    `update console_session set ended_at = now()
      where user_id = $1 and ended_at is null and id_hash is distinct from $2`,
    [userId, keep === undefined ? null : hashOf(keep)],
  )
}

/** Lists a person's sessions that count, the newest use first. */
export async function sessionsOf(db: Queryable, userId: UserId): Promise<ListedSession[]> {
  return rows<ListedSession>(
    db,
    `select encode(s.id_hash, 'hex') as name, s.address, s.user_agent as "userAgent", s.created_at as "createdAt",
            s.last_seen_at as "lastSeenAt"
       from console_session s
      where s.user_id = $1 and s.signed_in_at is not null and ${counts}
      order by s.last_seen_at desc
      limit 100`,
    [userId],
  )
}

/** The name that `sessionsOf` gives to a session. */
export const sessionName = (id: string): string => hashOf(id).toString('hex')

/** Removes sessions that count no more, a while after their last use: until then it is shown when a person was last seen. */
export async function purgeSessions(db: Queryable): Promise<void> {
  await run(db, `delete from console_session where last_seen_at < now() - interval '31 days'`)
}

function hashOf(id: string): Buffer {
  return createHash('sha256').update(id).digest()
}

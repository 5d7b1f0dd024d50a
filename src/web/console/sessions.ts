import type { FastifyRequest, Session as FastifySession } from 'fastify'
import type { UserId } from '../../base/ids.ts'
import type { Pool } from '../../db/pool.ts'
import { endSession, keepSession, type Session, sessionOf, touchSession } from '../../people/session-store.ts'
import { membershipsOf, userById } from '../../people/user-store.ts'
import type { Viewer } from './parts/page.ts'

/** Who has this session. Of plain values: the library compares them to see whether it must be saved. */
export interface SessionPerson {
  userId: string
  /** Unix milliseconds, as the other times here. null: the second factor is still missing. */
  signedInAt: number | null
  secondFactorAt: number | null
  challenge: string | null
  /** Where it began; only new sessions have it. */
  from?: { address: string; userAgent: string }
}

declare module 'fastify' {
  interface Session {
    /** None before somebody has given a password. */
    person?: SessionPerson
  }
}

/** So seldom the last use of a session is written down. */
const touchEveryS = 60

/** The store of the sessions, for @fastify/session. Sessions of nobody are not kept. */
export function openSessions(reads: Pool, pool: Pool) {
  return {
    get(id: string, done: (error: unknown, session?: FastifySession | null) => void): void {
      read(id).then(
        person => done(null, person ? ({ person } as FastifySession) : null),
        error => done(error),
      )
    },
    set(id: string, { person }: FastifySession, done: (error?: unknown) => void): void {
      if (!person) {
        done()
        return
      }
      const from = person.from ?? { address: '', userAgent: '' }
      keepSession(pool, id, sessionFrom(person), from).then(() => done(), done)
    },
    destroy(id: string, done: (error?: unknown) => void): void {
      endSession(pool, id).then(() => done(), done)
    },
  }

  async function read(id: string): Promise<SessionPerson | null> {
    const found = await sessionOf(reads, id)
    if (!found) return null
    if (found.seenAgoS > touchEveryS) await touchSession(pool, id)
    return {
      userId: `${found.userId}`,
      signedInAt: found.signedInAt?.getTime() ?? null,
      secondFactorAt: found.secondFactorAt?.getTime() ?? null,
      challenge: found.challenge,
    }
  }
}

/** Reads who makes a request. null: nobody, or only somebody whose account is gone. */
export async function readViewer(reads: Pool, request: FastifyRequest): Promise<Viewer | null> {
  const person = request.session?.person
  if (!person) return null
  const session = sessionFrom(person)
  const [user, memberships] = await Promise.all([
    userById(reads, session.userId),
    membershipsOf(reads, session.userId),
  ])
  if (!user) return null
  return { user, session, memberships, sessionId: request.session.sessionId }
}

function sessionFrom(person: SessionPerson): Session {
  const at = (ms: number | null) => (ms === null ? null : new Date(ms))
  return {
    userId: BigInt(person.userId) as UserId,
    signedInAt: at(person.signedInAt),
    secondFactorAt: at(person.secondFactorAt),
    challenge: person.challenge,
  }
}

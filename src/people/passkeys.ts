import { randomBytes } from 'node:crypto'
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import type { Pool, Queryable } from '../db/pool.ts'
import { countPasskey, type Passkey, passkeysOf } from './passkey-store.ts'
import { setChallenge, takeChallenge } from './session-store.ts'
import type { User } from './user-store.ts'

/** Whose passkeys these are: a passkey signs for one host and one origin alone. */
export interface PasskeySite {
  rpId: string
  origin: string
}

/** What a challenge was made for: one for signing in adds no passkey. */
export type PasskeyPurpose = 'add' | 'sign-in' | 'confirm'

/** The session of whoever answers a challenge. */
export interface ChallengedSession {
  id: string
  /** As it was read with the session. */
  challenge: string | null
  now: Date
}

/** How long a person may take. */
const timeoutMs = 5 * 60_000
const challengeBytes = 32

/** @returns the site of a URL; null where browsers have no passkeys: they want https and a name, or localhost. */
export function passkeySiteOf(publicUrl: string): PasskeySite | null {
  const { protocol, hostname, origin } = new URL(publicUrl)
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  const isAddress = /^[\d.]+$/.test(hostname) || hostname.startsWith('[')
  return isLocal || (protocol === 'https:' && !isAddress) ? { rpId: hostname, origin } : null
}

/** Makes what a browser asks an authenticator for a new passkey. */
export async function optionsToAdd(db: Queryable, site: PasskeySite, user: User, session: ChallengedSession) {
  return generateRegistrationOptions({
    ...{ rpName: 'recharge-gateway', rpID: site.rpId, timeout: timeoutMs, attestationType: 'none' },
    ...{ userName: user.email, userDisplayName: user.name },
    // One for each user, so that an authenticator replaces what it holds; it tells nothing of the person.
    userID: new TextEncoder().encode(`user ${user.id}`),
    challenge: await challenge(db, session, 'add'),
    excludeCredentials: (await passkeysOf(db, user.id)).map(described),
    // It is the second factor: what it finds the account by is the password.
    authenticatorSelection: { residentKey: 'discouraged', userVerification: 'preferred' },
  })
}

/** Checks what an authenticator answered to `optionsToAdd`. @returns null when it is not right. */
export async function readNewPasskey(
  pool: Pool,
  site: PasskeySite,
  session: ChallengedSession,
  response: unknown,
): Promise<Passkey | null> {
  const expectedChallenge = await challengeFor(pool, session, 'add')
  if (!expectedChallenge) return null
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      ...{ response: response as RegistrationResponseJSON, expectedChallenge },
      ...{ expectedOrigin: site.origin, expectedRPID: site.rpId, requireUserVerification: false },
    })
    if (!verified) return null
    const { id, publicKey, counter, transports } = registrationInfo.credential
    return {
      credentialId: Buffer.from(id, 'base64url'),
      publicKey: Buffer.from(publicKey),
      counter: BigInt(counter),
      transports: readTransports(transports),
    }
  } catch {
    // The library throws for all that is wrong with an answer, and an answer is a stranger's.
    return null
  }
}

/** Makes what a browser asks an authenticator to show that a user is there. */
export async function optionsToUse(
  db: Queryable,
  site: PasskeySite,
  { user, session, purpose }: { user: User; session: ChallengedSession; purpose: 'sign-in' | 'confirm' },
) {
  return generateAuthenticationOptions({
    ...{ rpID: site.rpId, timeout: timeoutMs, userVerification: 'preferred' },
    challenge: await challenge(db, session, purpose),
    allowCredentials: (await passkeysOf(db, user.id)).map(described),
  })
}

/** Checks what an authenticator answered to `optionsToUse`. An answer counts once, and a counter never goes back. */
export async function usePasskey(
  pool: Pool,
  site: PasskeySite,
  {
    user,
    session,
    purpose,
    response,
  }: { user: User; session: ChallengedSession; purpose: 'sign-in' | 'confirm'; response: unknown },
): Promise<boolean> {
  const expectedChallenge = await challengeFor(pool, session, purpose)
  if (!expectedChallenge) return false
  const id = String((response as { id?: unknown } | null)?.id)
  const known = await passkeysOf(pool, user.id)
  const passkey = known.find(({ credentialId }) => credentialId.toString('base64url') === id)
  if (!passkey) return false
  const counter = await signedCount(site, passkey, response, expectedChallenge)
  return (
    counter !== null && (await countPasskey(pool, user.id, { credentialId: passkey.credentialId, counter }))
  )
}

/** Verifies a signature. @returns the passkey's new counter; null when it is not right. */
async function signedCount(
  site: PasskeySite,
  passkey: Passkey,
  response: unknown,
  expectedChallenge: string,
): Promise<bigint | null> {
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...{ response: response as AuthenticationResponseJSON, expectedChallenge },
      ...{ expectedOrigin: site.origin, expectedRPID: site.rpId, requireUserVerification: false },
      credential: {
        id: passkey.credentialId.toString('base64url'),
        publicKey: new Uint8Array(passkey.publicKey),
        counter: Number(passkey.counter),
      },
    })
    return verified ? BigInt(authenticationInfo.newCounter) : null
  } catch {
    // As above.
    return null
  }
}

function described({ credentialId, transports }: Passkey) {
  return { id: credentialId.toString('base64url'), transports }
}

/** Makes a challenge; the session keeps it with its purpose and its end. */
async function challenge(
  db: Queryable,
  { id, now }: ChallengedSession,
  purpose: PasskeyPurpose,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = randomBytes(challengeBytes)
  const until = now.getTime() + timeoutMs
  await setChallenge(db, id, `${purpose} ${until} ${bytes.toString('base64url')}`)
  return new Uint8Array(bytes)
}

/** Uses up the session's challenge. @returns null when there is none for this purpose, or it is too old. */
async function challengeFor(
  db: Queryable,
  session: ChallengedSession,
  purpose: PasskeyPurpose,
): Promise<string | null> {
  if (!session.challenge || !(await takeChallenge(db, session.id, session.challenge))) return null
  const [madeFor, until, text] = session.challenge.split(' ')
  return madeFor === purpose && Number(until) > session.now.getTime() ? text! : null
}

/** What a browser says of how an authenticator is reached: short words, or nothing. */
function readTransports(transports: unknown): string[] {
  if (!Array.isArray(transports)) return []
  return transports.filter(one => typeof one === 'string' && /^[a-z-]{1,20}$/.test(one)).slice(0, 8)
}

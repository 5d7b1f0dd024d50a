import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { inPasswordTurn, type PasswordTurn } from './password-turns.ts'

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

// RFC 7914; 128 * N * r bytes: 64 MiB for each.
const logN = 16
const r = 8
const p = 2
const saltBytes = 16
const hashBytes = 32
const memoryMax = 128 * 2 ** logN * r * 2

export const passwordMin = 12
/** A longer one is refused before it is hashed. In UTF-16 units. */
export const passwordMax = 200

/** Hashes a password: `$scrypt$ln=16,r=8,p=2$SALT$HASH`, base64 without padding (the PHC string format). */
export async function hashPassword(password: string, turn: PasswordTurn): Promise<string> {
  const salt = randomBytes(saltBytes)
  const hash = await hashOf(password, salt, { logN, r, p }, turn)
  return `$scrypt$ln=${logN},r=${r},p=${p}$${encode(salt)}$${encode(hash)}`
}

/**
 * Checks a password. Without a hash the same work is done, so that the time does not tell who has an account.
 * @param stored a PHC string of `hashPassword`; null: nobody has this account, or no password yet.
 */
export async function isPassword(
  password: string,
  stored: string | null,
  turn: PasswordTurn,
): Promise<boolean> {
  const parsed = stored === null ? null : parse(stored)
  const salt = parsed?.salt ?? Buffer.alloc(saltBytes)
  const hash = await hashOf(password.slice(0, passwordMax), salt, parsed ?? { logN, r, p }, turn)
  return parsed !== null && hash.length === parsed.hash.length && timingSafeEqual(hash, parsed.hash)
}

interface Cost {
  logN: number
  r: number
  p: number
}

function parse(stored: string): (Cost & { salt: Buffer; hash: Buffer }) | null {
  const parts = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)$/.exec(stored)
  if (!parts) return null
  const [, ln, block, parallel, salt, hash] = parts
  return {
    ...{ logN: Number(ln), r: Number(block), p: Number(parallel) },
    salt: Buffer.from(salt!, 'base64'),
    hash: Buffer.from(hash!, 'base64'),
  }
}

const encode = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

function hashOf(password: string, salt: Buffer, cost: Cost, turn: PasswordTurn): Promise<Buffer> {
  // The same characters, however the keyboard composed them.
  const composed = password.normalize('NFKC')
  return inPasswordTurn(turn, () =>
    derive(composed, salt, hashBytes, {
      ...{ N: 2 ** cost.logN, r: cost.r, p: cost.p, maxmem: memoryMax },
    }),
  )
}

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

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
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const hash = await hashOf(password, salt, { logN, r, p })
  return `$scrypt$ln=${logN},r=${r},p=${p}$${encode(salt)}$${encode(hash)}`
}

/**
 * Checks a password. Without a hash the same work is done, so that the time does not tell who has an account.
 * @param stored a PHC string of `hashPassword`; null: nobody has this account, or no password yet.
 */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  const parsed = stored === null ? null : parse(stored)
  const salt = parsed?.salt ?? Buffer.alloc(saltBytes)
  const hash = await hashOf(password.slice(0, passwordMax), salt, parsed ?? { logN, r, p })
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

/** Each takes 64 MiB and a thread; more would keep the threads from what else the process waits for. */
const atOnce = 2
/** More sign-ins than this at a time are refused. */
const waitingMax = 50
const waiting: (() => void)[] = []
let running = 0

/** Too many passwords are being checked; try again. */
export class TooManySignIns extends Error {
  override name = 'TooManySignIns'
}

async function hashOf(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  if (running >= atOnce) {
    if (waiting.length >= waitingMax) throw new TooManySignIns('too many sign-ins at a time')
    await new Promise<void>(resolve => waiting.push(resolve))
  } else running++
  try {
    // The same characters, however the keyboard composed them.
    return await derive(password.normalize('NFKC'), salt, hashBytes, {
      ...{ N: 2 ** cost.logN, r: cost.r, p: cost.p, maxmem: memoryMax },
    })
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

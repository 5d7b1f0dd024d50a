import { type Clock, unixSeconds } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'
import { shareRoundTrips } from '../db/shared-round-trip.ts'
import type { SignatureScheme, SignedParameters } from '../merchants/signature.ts'
import { keepNonces, type NonceUse, type RequestNonce } from './request-nonce-store.ts'

/**
 * What an endpoint requires of `t` and `nonce`:
 * legacy: neither, in either scheme (the three endpoints of existing integrations);
 * usual: both under sha1, which does not sign the endpoint's name;
 * once: both in every scheme, and a repeated nonce is refused even with the same sign.
 */
export type ReplayRule = 'legacy' | 'usual' | 'once'

/** How far a request's `t` may be from our clock, either way. */
const toleranceMs = 300_000

/**
 * Checks `t` and `nonce` of a verified request against the rule.
 * @returns the nonce, not stored yet; null when the request has none.
 * @throws GatewayError timestamp_required, stale_timestamp, bad_parameter.
 */
export function checkReplay(
  parameters: SignedParameters,
  request: { rule: ReplayRule; scheme: SignatureScheme; requireNonce: boolean; clock: Clock },
): string | null {
  const { rule, scheme, requireNonce, clock } = request
  const { t, nonce } = parameters
  const required = requireNonce || rule === 'once' || (rule === 'usual' && scheme === 'sha1')
  if (required && (t === undefined || nonce === undefined)) {
    const missing = [t === undefined ? 't' : '', nonce === undefined ? 'nonce' : ''].filter(Boolean)
    throw new GatewayError('timestamp_required', `${missing.join(' and ')}: required here`)
  }
  if (t !== undefined) checkTimestamp(t, clock.now())
  if (nonce === undefined) return null
  if (!/^\P{Cc}{16,64}$/u.test(nonce)) {
    throw new GatewayError('bad_parameter', 'nonce: 16 to 64 characters, no control characters')
  }
  return nonce
}

function checkTimestamp(t: string, now: Date): void {
  if (!/^\d{1,15}$/.test(t)) throw new GatewayError('bad_parameter', 't: Unix seconds as a whole number')
  if (Math.abs(Number(t) * 1000 - now.getTime()) > toleranceMs) {
    throw new GatewayError(
      'stale_timestamp',
      `t: must be within 300 s of our clock, which shows ${unixSeconds(now)}, got ${t}`,
    )
  }
}

/** Stores a nonce. @throws GatewayError nonce_reused when it was used with another sign, or at all if the rule is `once`. */
export type NonceGate = (nonce: RequestNonce, rule: ReplayRule) => Promise<void>

/** Opens the gate. Nonces that arrive together are stored in one statement. */
export function openNonceGate(pool: Pool): NonceGate {
  const keep = shareRoundTrips<RequestNonce, NonceUse>({
    run: nonces => keepTogether(pool, nonces),
    itemsMax: 256,
    waitingMax: 4_096,
    inFlightMax: 2,
  })
  return async (nonce, rule) => {
    const use = await keep(nonce)
    if (use === 'other' || (use === 'same' && rule === 'once')) {
      throw new GatewayError('nonce_reused', 'nonce: used before within ten minutes')
    }
  }
}

/** Stores nonces of several requests. A statement takes each nonce once; its repetitions are compared with the first. */
async function keepTogether(pool: Pool, nonces: readonly RequestNonce[]): Promise<NonceUse[]> {
  const firsts = new Map<string, { index: number; sign: string }>()
  nonces.forEach((nonce, index) => {
    const name = nameOf(nonce)
    if (!firsts.has(name)) firsts.set(name, { index, sign: nonce.sign })
  })
  const indexes = [...firsts.values()].map(({ index }) => index)
  const kept = await keepNonces(
    pool,
    indexes.map(index => nonces[index]!),
  )
  const useAt = new Map(indexes.map((index, i) => [index, kept[i]!]))
  return nonces.map((nonce, index) => {
    const first = firsts.get(nameOf(nonce))!
    const use = useAt.get(first.index)!
    if (index === first.index) return use
    if (nonce.sign !== first.sign) return 'other'
    return use === 'new' ? 'same' : use
  })
}

function nameOf(nonce: RequestNonce): string {
  return `${nonce.merchantId} ${nonce.nonce}`
}

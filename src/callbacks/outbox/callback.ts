import { createHash } from 'node:crypto'
import { type UsdtUnits, wholeLegacyUnits } from '../../base/money.ts'

// callback: what is announced to a merchant, once, under one key.
// outbox row: one attempt that is still owed.      lane: one merchant x one origin.
// lease: the right to send one callback until a given time.     epoch: which lease it is.
// job: leases that travel through the queue together.
export const callbackStates = [
  'due', // waits for its time, or for room in its lane
  'in_flight', // leased
  'held', // its merchant is disabled
  'delivered',
  'exhausted', // 15 attempts, or 410
] as const

export type CallbackState = (typeof callbackStates)[number]

/** What a callback says, as it was when the credit was made; every attempt says the same. */
export interface CallbackFacts {
  key: string
  orderid: string
  ordersn: string
  localusermark: string
  /** 1/10000 USDT. */
  bodyAmount: bigint
  /** The named transfer: its place on the chain and its own amount, base units. */
  txid: string
  logIndex: number
  transferAmount: bigint
  /** Of the order, right after the credit; base units. */
  received: bigint
  orderAmount: bigint
  orderState: string
  late: boolean
}

/** How an attempt ended: acknowledged (2xx), refused (any other answer), or why there was no answer. */
export type AttemptOutcome = 'acknowledged' | 'refused' | FailureKind

/**
 * Why an attempt got no answer that can be judged:
 * no_url, no_key: the merchant has none; blocked: the guard refused the URL or an address behind it; dns: the name
 * cannot be resolved; connect: nobody accepts the connection; tls: no trusted TLS; reset: the connection broke off;
 * bad_answer: what came back is not HTTP; timeout: the deadline; network: anything else.
 */
export type FailureKind =
  | 'no_url'
  | 'no_key'
  | 'blocked'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'reset'
  | 'bad_answer'
  | 'timeout'
  | 'network'

/**
 * What an order has received and not yet announced, in whole 1/10000 USDT.
 * At least 1: the credit that led here writes one callback for all of it. 0: the rest waits for the next credit. So an
 * order's callbacks always add up to floor(received / 100).
 * @param received base units, this credit included.
 * @param announced 1/10000 USDT, the sum over the order's callbacks so far.
 */
export function pendingAnnouncement(received: UsdtUnits, announced: bigint): bigint {
  return wholeLegacyUnits(received) - announced
}

/**
 * A callback's key: a function of the transfer that caused it and of nothing else, so that it is the same over retries,
 * resends, a rescan and a restored backup. Merchants deduplicate by it.
 * @param genesisId 64 hex digits; contract in base58check; txid 64 lower-case hex digits; logIndex in its transaction.
 * @returns `cb_` and the first 32 hex digits of the SHA-256 over the four, joined by colons.
 */
export function callbackKey(genesisId: string, contract: string, txid: string, logIndex: number): string {
  const hash = createHash('sha256').update(`${genesisId}:${contract}:${txid}:${logIndex}`, 'utf8')
  return `cb_${hash.digest('hex').slice(0, 32)}`
}

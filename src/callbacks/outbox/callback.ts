import { createHash } from 'node:crypto'
import { type LegacyUnits, legacy, type UsdtUnits, wholeLegacyUnits } from '../../base/money.ts'

// callback: what is announced to a merchant, once, under one key.
// deposit: money without an order, of a merchant with deposits on. Its callback has another body, and is one in all else.
// key: how merchants know it and deduplicate it; `CallbackId` is the id of its row, which only we see.
// outbox row: one attempt that is still owed.      lane: one merchant x one origin.
// origin: scheme, host and port of the URL, default ports spelled out.
// attempt: one POST and how it ended.     schedule: the waits between attempts; a resend starts it again.
// lease: the right to send one callback until a given time.     epoch: which lease it is.
// job: leases that travel through the queue together.
// circuit: open while a lane's endpoint fails; then one callback at a time is attempted, as a probe.
export const callbackStates = [
  'due', // waits for its time, or for room in its lane
  'in_flight', // leased
  'held', // its merchant is disabled
  'delivered',
  'exhausted', // 15 attempts, or 410
] as const

export type CallbackState = (typeof callbackStates)[number]

/** The states of an order that a callback can announce: a credit has just been made, so it is not pending. */
export const announcedStates = ['underpaid', 'paid', 'overpaid'] as const

export type AnnouncedState = (typeof announcedStates)[number]

/** What a callback says, as it was when the credit was made. Every attempt says the same. */
export interface CallbackFacts {
  key: string
  orderid: string
  ordersn: string
  localusermark: string
  bodyAmount: LegacyUnits
  /** The transfer that caused it: its place on the chain and its own amount. */
  txid: string
  logIndex: number
  transferAmount: UsdtUnits
  /** Of the order, right after the credit. */
  received: UsdtUnits
  orderAmount: UsdtUnits
  orderState: AnnouncedState
  late: boolean
}

/** How an attempt ended: acknowledged (a 2xx, with the merchant's word if it wants one), refused (any other answer), or a failure. */
export type AttemptOutcome = 'acknowledged' | 'refused' | FailureKind

/**
 * Why an attempt got no complete answer:
 * no_url, no_key: the merchant has none; blocked: the guard refused the URL or an address its name resolves to; dns: the
 * name cannot be resolved; connect: the connection is not accepted; tls: no trusted TLS; reset: the connection broke off;
 * bad_answer: the answer is not valid HTTP; timeout: the deadline passed; network: anything else.
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
 * Computes what an order has received and not announced yet, in whole 1/10000 USDT. When that is at least 1, the credit that
 * led here writes one callback for all of it; when it is 0, the rest waits for the next credit. So an order's callbacks
 * always add up to floor(received / 100).
 * @param received this credit included.
 * @param announced the sum over the order's callbacks so far.
 */
export function pendingAnnouncement(received: UsdtUnits, announced: LegacyUnits): LegacyUnits {
  return legacy(wholeLegacyUnits(received) - announced)
}

/**
 * Makes a callback's key out of the transfer that caused it and nothing else. So it stays the same over retries, resends, a
 * rescan and a restored backup, and merchants can deduplicate by it.
 * @param genesisId 64 hex digits. Besides: the contract in base58check, the txid as 64 lower-case hex digits, the log index
 *   in its transaction.
 * @returns `cb_` and the first 32 hex digits of the SHA-256 over the four, joined by colons.
 */
export function callbackKey(genesisId: string, contract: string, txid: string, logIndex: number): string {
  return `cb_${transferHash(genesisId, contract, txid, logIndex)}`
}

/**
 * Makes the key of a deposit's callback: `dp_` and the same digits. So a merchant can tell that a transfer was announced before
 * as an order's, if the order was lost in a restore.
 */
export function depositKey(genesisId: string, contract: string, txid: string, logIndex: number): string {
  return `dp_${transferHash(genesisId, contract, txid, logIndex)}`
}

function transferHash(genesisId: string, contract: string, txid: string, logIndex: number): string {
  const hash = createHash('sha256').update(`${genesisId}:${contract}:${txid}:${logIndex}`, 'utf8')
  return hash.digest('hex').slice(0, 32)
}

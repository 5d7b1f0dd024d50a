import { GatewayError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import { parseUsdt, type UsdtUnits } from '../base/money.ts'

// order: what a merchant expects from a user, under the merchant's id (orderid) and ours (ordersn).
// amount: what it asks for.     received: what was credited to it.     remainder: amount - received, while above 0.
// announced: the sum of its callbacks, in whole 1/10000 USDT; what received has beyond it waits for the next credit.
// window: from the order's creation to its expiry, by block time. A transfer after it is late, and credited all the same.
// own address: an address that serves this order alone. `auto` asks for one.
export const orderStates = [
  'pending', // nothing received
  'underpaid', // less than amount
  'paid', // exactly amount
  'overpaid', // more than amount
] as const

export type OrderState = (typeof orderStates)[number]

/** Derives an order's state from its sums. It is never stored. */
export function orderState(received: UsdtUnits, amount: UsdtUnits): OrderState {
  if (received === 0n) return 'pending'
  if (received < amount) return 'underpaid'
  return received === amount ? 'paid' : 'overpaid'
}

/**
 * Tells whether an order's window has ended. Independent of the state: a paid order expires too.
 * @param headTime block time of the last solidified block that was read.
 */
export function isExpired(expiresAt: Date, headTime: Date): boolean {
  return headTime > expiresAt
}

/** A merchant's request to create an order, read from its parameters. */
export interface OrderRequest {
  merchantId: MerchantId
  orderid: string
  username: string
  localusermark: string
  /** The address as given; null: `auto`, the order's own address. */
  address: string | null
  amount: UsdtUnits
  /** null: callbacks go to the merchant's default URL. */
  notifyUrl: string | null
  /** Where the payer's page leads back to. Undefined for a merchant who has no such parameter. */
  returnUrl: string | null | undefined
}

/** An existing order, as far as a repeated create needs it. */
export interface ExistingOrder {
  ordersn: string
  username: string
  localusermark: string
  address: string
  /** The address is the order's own. */
  ownAddress: boolean
  amount: UsdtUnits
  notifyUrl: string | null
  returnUrl: string | null
  /** Unix seconds. */
  expiresAt: number
  payToken: Buffer
}

/** Lists the parameters in which a create differs from the order of its orderid; none: the same create, repeated. */
export function conflictingFields(
  request: OrderRequest,
  existing: Omit<ExistingOrder, 'payToken'>,
): string[] {
  const sameAddress = request.address === null ? existing.ownAddress : request.address === existing.address
  return [
    request.username === existing.username ? '' : 'username',
    request.localusermark === existing.localusermark ? '' : 'localusermark',
    sameAddress ? '' : 'address',
    request.amount === existing.amount ? '' : 'amount',
    request.notifyUrl === existing.notifyUrl ? '' : 'notify_url',
    request.returnUrl === undefined || request.returnUrl === existing.returnUrl ? '' : 'return_url',
  ].filter(Boolean)
}

/**
 * Reads an order's amount: decimal USDT, above 0.
 * @throws GatewayError bad_amount, saying what is wrong.
 */
export function readAmount(text: string): UsdtUnits {
  const amount = parseUsdt(text)
  if (amount !== null && amount > 0n) return amount
  throw new GatewayError('bad_amount', `amount: ${amountProblem(text)}, got ${quote(text)}`)
}

function amountProblem(text: string): string {
  if (/^-/.test(text) || /^0(\.0{1,6})?$/.test(text)) return 'must be above 0'
  if (/^\d+\.\d{7,}$/.test(text)) return 'at most 6 decimals'
  if (/^[1-9]\d{12,}(\.\d+)?$/.test(text)) return 'at most 12 digits before the point'
  return 'must be decimal USDT such as "12.5"'
}

/** Quotes what a caller sent, shortened and on one line. */
function quote(text: string): string {
  const shown = [...text].slice(0, 32).join('')
  return JSON.stringify(shown === text ? text : `${shown}...`)
}

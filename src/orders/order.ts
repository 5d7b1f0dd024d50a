import { GatewayError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import { parseUsdt, type UsdtUnits } from '../base/money.ts'

/** Follows from the sums, never stored. */
export type OrderState = 'pending' | 'underpaid' | 'paid' | 'overpaid'

/** What received and amount (base units) say. */
export function orderState(received: UsdtUnits, amount: UsdtUnits): OrderState {
  if (received === 0n) return 'pending'
  if (received < amount) return 'underpaid'
  return received === amount ? 'paid' : 'overpaid'
}

/**
 * Whether the order's window is over by the chain's clock; a mark beside the state, whatever the state is.
 * @param headTime block time of the last solidified block we have read.
 */
export function isExpired(expiresAt: Date, headTime: Date): boolean {
  return headTime > expiresAt
}

/** An order as a merchant asks for it, read from its parameters. */
export interface OrderRequest {
  merchantId: MerchantId
  orderid: string
  username: string
  localusermark: string
  /** The address as given; null stands for the word `auto`: the one assigned for this order. */
  address: string | null
  amount: UsdtUnits
  /** null: callbacks go to the merchant's default URL. */
  notifyUrl: string | null
}

/** An order that exists, as far as a create asked for again has to know it. */
export interface ExistingOrder {
  ordersn: string
  username: string
  localusermark: string
  address: string
  /** Whether the address serves this order alone: what `auto` means. */
  ownAddress: boolean
  amount: UsdtUnits
  notifyUrl: string | null
  /** Unix seconds. */
  expiresAt: number
}

/** The parameters in which a create differs from the order that has its orderid; none when it is the same create. */
export function conflictingFields(request: OrderRequest, existing: ExistingOrder): string[] {
  const sameAddress = request.address === null ? existing.ownAddress : request.address === existing.address
  return [
    request.username === existing.username ? '' : 'username',
    request.localusermark === existing.localusermark ? '' : 'localusermark',
    sameAddress ? '' : 'address',
    request.amount === existing.amount ? '' : 'amount',
    request.notifyUrl === existing.notifyUrl ? '' : 'notify_url',
  ].filter(Boolean)
}

/**
 * Reads an order's amount: decimal USDT, above 0.
 * @throws GatewayError bad_amount saying what is wrong with it.
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

/** Quotes what a caller sent: shortened, nothing in it that could break a line. */
function quote(text: string): string {
  const shown = [...text].slice(0, 32).join('')
  return JSON.stringify(shown === text ? text : `${shown}...`)
}

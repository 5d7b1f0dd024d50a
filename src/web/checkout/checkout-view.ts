import type { Locale } from '../shell/locale.ts'

/** What the payer's page shows of one order. Amounts are decimal USDT, times Unix seconds by the server's clock. */
export interface CheckoutView {
  locale: Locale
  /** The page's URL without query: `/pay/<token>`. */
  path: string
  /** Changes whenever the page would look different. */
  version: string
  network: 'mainnet' | 'nile' | 'shasta' | 'private' | 'sandbox'
  merchant: {
    /** Empty: none is shown. */
    name: string
    logoPath: string | null
    /** `#rrggbb` */
    accent: string | null
    supportUrl: string | null
  }
  orderid: string
  address: string
  /** Written by qr-svg.ts. The page inlines it without escaping. */
  qrSvg: string
  amount: string
  received: string
  /** What is still to be sent: the amount less what is credited and less what is seen. "0": nothing. */
  missing: string
  /** What was sent beyond the amount. "0": nothing. */
  over: string
  state: 'waiting' | 'seen' | 'underpaid' | 'paid' | 'overpaid'
  /** The time is over and the order is not paid in full. The page stays live. */
  isExpired: boolean
  /** Some credit came after the time was over. */
  isLate: boolean
  now: number
  expiresAt: number
  payments: CheckoutPayment[]
  /** SEEN=off: a payment shows only once it is solid. */
  seenIsOff: boolean
  /** The merchant is disabled: nobody should pay here. */
  closed: boolean
  returnUrl: string | null
  /** Whether to show the sandbox's own buttons for paying. */
  sandboxPay: boolean
  /** Whether wallets may be offered. */
  wallets: boolean
  usdtContract: string
  /** What is missing, in base units (10^-6 USDT), for a wallet. */
  amountUnits: string
}

export interface CheckoutPayment {
  txid: string
  explorerUrl: string | null
  amount: string
  /** Time of its block. */
  time: number
  /** `checking`: solid, and not yet confirmed by a second node or by proof. */
  state: 'seen' | 'checking' | 'credited'
  block: number
  confirmations: number
  /** How many confirmations make a block solid. */
  needed: number
  isLate: boolean
}

/** Whether what was asked has arrived and is credited. A page that is closed says nothing of it. */
export function isPaidInFull(view: CheckoutView): boolean {
  return !view.closed && (view.state === 'paid' || view.state === 'overpaid')
}

/** Whether the payer may be asked for money: something is missing, and the shop still takes it. */
export function asksForMoney(view: CheckoutView): boolean {
  return !view.closed && view.missing !== '0' && !isPaidInFull(view)
}

/** Whether the order is paid and all that has been sent is credited. Only another payment could change the page now. */
export function isSettled(view: CheckoutView): boolean {
  return isPaidInFull(view) && view.payments.every(payment => payment.state === 'credited')
}

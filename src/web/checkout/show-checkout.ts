import { createHash } from 'node:crypto'
import { unixSeconds } from '../../base/clock.ts'
import { formatUsdt } from '../../base/money.ts'
import { isExpired, orderState } from '../../orders/order.ts'
import { payPath } from '../../orders/pay-link.ts'
import { explorerUrl } from '../../tron/network.ts'
import type { Locale } from '../shell/locale.ts'
import { qrSvg } from '../shell/qr-svg.ts'
import { safeUrl } from '../shell/safe-url.ts'
import type { Checkout } from './checkout-store.ts'
import type { CheckoutView } from './checkout-view.ts'
import { wordsOf } from './languages.ts'

/** Blocks of as many different producers after a block make it solid. */
const confirmationsNeeded = 19

/** What of a page is not the order's. */
export interface CheckoutSetting {
  locale: Locale
  now: Date
  /** Whether the sandbox's node can be asked to pay. */
  sandboxPay: boolean
}

/** Makes what an order's page shows. */
export function showCheckout(checkout: Checkout, { locale, now, sandboxPay }: CheckoutSetting): CheckoutView {
  const { amount, received, network, headHeight } = checkout
  const path = payPath(checkout.token)
  const seen = sum(checkout.payments.filter(({ state }) => state !== 'credited'))
  const sent = received + seen
  const missing = amount > sent ? amount - sent : 0n
  const isPaid = received >= amount
  const view = {
    locale,
    path,
    network,
    merchant: {
      name: checkout.displayName,
      logoPath: checkout.hasLogo ? `${path}/logo` : null,
      accent: checkout.accent,
      supportUrl: checkout.supportUrl && safeUrl(checkout.supportUrl) ? checkout.supportUrl : null,
    },
    orderid: checkout.orderid,
    address: checkout.address,
    amount: formatUsdt(amount),
    received: formatUsdt(received),
    missing: formatUsdt(missing),
    over: formatUsdt(sent > amount ? sent - amount : 0n),
    state: stateOf(checkout, seen),
    isExpired: !isPaid && isExpired(checkout.expiresAt, checkout.solidTime),
    isLate: checkout.payments.some(({ late, state }) => late && state === 'credited'),
    expiresAt: unixSeconds(checkout.expiresAt),
    payments: checkout.payments.map(payment => ({
      txid: payment.txid,
      explorerUrl: explorerUrl(network, payment.txid),
      amount: formatUsdt(BigInt(payment.amount)),
      time: payment.time,
      state: payment.state,
      block: payment.height,
      confirmations: confirmationsOf(payment, headHeight),
      needed: confirmationsNeeded,
      isLate: payment.late,
    })),
    seenIsOff: headHeight === null,
    closed: checkout.closed,
    returnUrl: checkout.returnUrl,
    sandboxPay: sandboxPay && !checkout.closed,
    wallets: network !== 'private',
    usdtContract: checkout.usdtContract,
    amountUnits: `${missing}`,
  } satisfies Omit<CheckoutView, 'version' | 'now' | 'qrSvg'>
  return {
    ...view,
    version: versionOf(view),
    now: unixSeconds(now),
    qrSvg: qrSvg(qrText(checkout), wordsOf(locale).qrLabel),
  }
}

/** What the QR code says. Only the plain address is read by every wallet. */
export function qrText({ qr, address, amount, received }: Checkout): string {
  if (qr === 'address') return address
  if (qr === 'tron') return `tron:${address}`
  return `tron:${address}?amount=${formatUsdt(amount > received ? amount - received : amount)}`
}

function stateOf({ amount, received }: Checkout, seen: bigint): CheckoutView['state'] {
  if (received >= amount) return orderState(received, amount) === 'overpaid' ? 'overpaid' : 'paid'
  // What is at the head may be all that is missing.
  if (received > 0n && received + seen < amount) return 'underpaid'
  return seen > 0n ? 'seen' : 'waiting'
}

function confirmationsOf({ state, height }: Checkout['payments'][number], head: number | null): number {
  if (state !== 'seen') return confirmationsNeeded
  return Math.min(Math.max((head ?? height) - height, 0), confirmationsNeeded)
}

/** The same in every language and process. */
function versionOf(shown: object): string {
  const text = JSON.stringify({ ...shown, locale: null })
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}

function sum(payments: readonly { amount: string }[]): bigint {
  return payments.reduce((total, { amount }) => total + BigInt(amount), 0n)
}

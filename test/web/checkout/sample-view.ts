import type { CheckoutPayment, CheckoutView } from '../../../src/web/checkout/checkout-view.ts'
import { qrSvg } from '../../../src/web/shell/qr-svg.ts'

export const sampleAddress = 'TXk7LmQ2vR9bNcD4eF6gH8jKpS3tUwYzAb'
const now = Date.UTC(2026, 10, 29, 13, 6, 8) / 1000
const path = '/pay/Qm3xV7bT9kLpZc2nR5wYdA'

/** An order that waits for 25 USDT, and what a test wants otherwise. */
export function sampleView(over: Partial<CheckoutView> = {}): CheckoutView {
  return {
    locale: 'en',
    path,
    version: '7',
    network: 'mainnet',
    merchant: {
      name: 'Blue Harbour Games',
      logoPath: null,
      accent: null,
      supportUrl: 'https://shop.example/help',
    },
    orderid: 'R-2026-11-004182',
    address: sampleAddress,
    qrSvg: qrSvg(sampleAddress, 'QR'),
    amount: '25',
    received: '0',
    missing: '25',
    over: '0',
    state: 'waiting',
    isExpired: false,
    isLate: false,
    now,
    expiresAt: now + 3552,
    payments: [],
    seenIsOff: false,
    closed: false,
    returnUrl: 'https://shop.example/orders/4182',
    sandboxPay: false,
    wallets: true,
    usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
    amountUnits: '25000000',
    ...over,
  }
}

export function samplePayment(over: Partial<CheckoutPayment> = {}): CheckoutPayment {
  const txid = '3fa96f8c1b0e7d25a4c39e8871d0b6f2ce54a01793bd68f4e2c7510a9d8e64b1'
  return {
    txid,
    explorerUrl: `https://tronscan.org/#/transaction/${txid}`,
    amount: '25',
    time: now - 41,
    state: 'credited',
    block: 71_234_567,
    confirmations: 19,
    needed: 19,
    isLate: false,
    ...over,
  }
}

const seen = samplePayment({ state: 'seen', confirmations: 7 })
const half = samplePayment({ amount: '12.5' })
const past = now - 900

/** Every state that the page has, by name. */
export const sampleStates: Record<string, Partial<CheckoutView>> = {
  waiting: {},
  waitingPlain: {
    merchant: { name: '', logoPath: null, accent: null, supportUrl: null },
    returnUrl: null,
    seenIsOff: true,
    network: 'nile',
    amount: '1234567.123456',
    missing: '1234567.123456',
  },
  sandbox: { network: 'sandbox', sandboxPay: true },
  seen: { state: 'seen', missing: '0', amountUnits: '0', payments: [seen] },
  seenInPart: {
    state: 'seen',
    missing: '12.5',
    amountUnits: '12500000',
    payments: [{ ...seen, amount: '12.5' }],
  },
  checking: { state: 'seen', missing: '0', payments: [samplePayment({ state: 'checking' })] },
  underpaid: {
    state: 'underpaid',
    received: '12.5',
    missing: '12.5',
    amountUnits: '12500000',
    payments: [half],
  },
  paid: { state: 'paid', received: '25', missing: '0', payments: [half, { ...half, txid: 'b'.repeat(64) }] },
  paidLate: {
    state: 'paid',
    received: '25',
    missing: '0',
    isLate: true,
    expiresAt: past,
    payments: [samplePayment({ isLate: true })],
  },
  overpaid: {
    state: 'overpaid',
    received: '30',
    missing: '0',
    over: '5',
    payments: [samplePayment({ amount: '30' })],
  },
  expired: { isExpired: true, expiresAt: past },
  expiredUnderpaid: {
    isExpired: true,
    expiresAt: past,
    state: 'underpaid',
    received: '12.5',
    missing: '12.5',
    payments: [half],
  },
  expiredSeenInPart: {
    isExpired: true,
    expiresAt: past,
    state: 'seen',
    missing: '12.5',
    payments: [{ ...seen, amount: '12.5', isLate: true }],
  },
  closed: { closed: true },
}

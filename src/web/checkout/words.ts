/** Every text of the payer's page in one language. Amounts come in with their unit where a sentence needs one. */
export interface Words {
  /** The name of the page's other language in that language, and what a screen reader says of the link. */
  otherLanguage: string
  otherLanguageLabel: string
  pageName: string
  /** For the browser's tab. */
  titles: {
    pay(amount: string): string
    seen: string
    missing(amount: string): string
    paid: string
    expired: string
    closed: string
  }
  headlines: {
    waiting: string
    seen: string
    underpaid: string
    paid: string
    paidLate: string
    overpaid: string
    expired: string
    expiredUnderpaid: string
    closed: string
  }
  details: {
    waiting: string
    waitingSeenIsOff: string
    seen(needed: number): string
    checking: string
    seenInPart: string
    seenInPartExpired: string
    underpaid(received: string, amount: string): string
    paid(received: string): string
    overpaid(received: string, over: string): string
    expired: string
    expiredUnderpaid(received: string, amount: string): string
    closed: string
  }
  amountToPay: string
  amountMissing: string
  amountReceived: string
  amountOrdered: string
  timeLeft: string
  timeOver: string
  order: string
  network: string
  networkName: string
  address: string
  qrLabel: string
  qrHint: string
  showAddress: string
  onlyUsdt: string
  onlyUsdtWhy: string
  afterwards: string
  copy: string
  copyAmountLabel: string
  copyAddressLabel: string
  payments: string
  paymentStates: { seen: string; checking: string; credited: string }
  block(height: string): string
  confirmations(count: number, needed: number): string
  late: string
  explorer: string
  transaction: string
  returnToShop: string
  returnToNamedShop(name: string): string
  support: string
  testNetwork(name: string): string
  sandboxNetwork: string
  sandbox: { title: string; exact: string; half: string; double: string; late: string }
  openIn: string
  payWithWallet: string
  problems: Record<ProblemKind, { title: string; text: string }>
  /** What the browser's module says. */
  browser: {
    copied: string
    offline: string
    walletAsked: string
    walletSent: string
    walletDeclined: string
    walletWrongNetwork: string
    walletWrongCall: string
    walletFailed: string
  }
}

export type ProblemKind = 'not_found' | 'too_many' | 'unavailable'

import type { Words } from './words.ts'

export const en: Words = {
  otherLanguage: '中文',
  otherLanguageLabel: '切换到中文',
  pageName: 'USDT payment',
  titles: {
    pay: amount => `Pay ${amount}`,
    seen: 'Payment seen',
    missing: amount => `${amount} missing`,
    paid: 'Paid',
    expired: 'Time is up',
    closed: 'Do not pay',
  },
  headlines: {
    waiting: 'Waiting for your payment',
    seen: 'Payment seen',
    underpaid: 'Paid in part',
    paid: 'Paid',
    paidLate: 'Paid late',
    overpaid: 'Paid, more than asked',
    expired: 'Time is up',
    expiredUnderpaid: 'Time is up, paid in part',
    closed: 'Do not pay here',
  },
  details: {
    waiting: 'Your payment appears here a few seconds after you have sent it.',
    waitingSeenIsOff: 'Your payment appears here about a minute after you have sent it.',
    seen: needed =>
      `Nothing more to do. It is final after ${needed} confirmations, which take about a minute.`,
    checking: 'The network has confirmed it. It is credited after one more check, usually within minutes.',
    seenInPart:
      'It is being confirmed. It does not cover the whole amount: send the rest to the same address.',
    seenInPartExpired:
      'It is being confirmed. It does not cover the whole amount, and the time is up: ask the shop before you send the rest.',
    underpaid: (received, amount) =>
      `${received} of ${amount} has arrived. Send the rest to the same address.`,
    paid: received => `${received} has arrived and is credited.`,
    overpaid: (received, over) =>
      `${received} has arrived and is credited, ${over} more than asked. Contact the shop about the difference.`,
    expired:
      'If you have already paid, keep this page open. It still watches the address, and what arrives is credited. If you have not paid yet, ask the shop for a new payment.',
    expiredUnderpaid: (received, amount) =>
      `${received} of ${amount} has arrived and is credited. If you have already sent the rest, keep this page open: what arrives is still credited. If not, ask the shop first.`,
    closed:
      'The shop no longer takes payments on this page. Do not send anything to its address. If you have already paid, contact the shop.',
  },
  amountToPay: 'Amount to pay',
  amountMissing: 'Still missing',
  amountReceived: 'Received',
  amountOrdered: 'Amount',
  timeLeft: 'Time left',
  timeOver: 'Ended',
  order: 'Order',
  network: 'Network',
  networkName: 'TRON (TRC-20)',
  address: 'Send to this address',
  qrLabel: 'QR code of the address',
  qrHint: 'Scan with your wallet. It holds the address; enter the amount yourself.',
  showAddress: 'Show the address',
  onlyUsdt: 'Send only USDT on the TRON network (TRC-20).',
  onlyUsdtWhy: 'Anything else is lost.',
  afterwards:
    'This page updates itself. You may close it and come back: money that arrives later, even after the time, is still credited.',
  copy: 'Copy',
  copyAmountLabel: 'Copy the amount',
  copyAddressLabel: 'Copy the address',
  payments: 'Payments',
  paymentStates: { seen: 'Being confirmed', checking: 'Being checked', credited: 'Credited' },
  block: height => `Block ${height}`,
  confirmations: (count, needed) => `${count} of ${needed} confirmations`,
  late: 'late',
  explorer: 'View in the explorer',
  transaction: 'Transaction',
  returnToShop: 'Return to the shop',
  returnToNamedShop: name => `Return to ${name}`,
  support: 'Contact the shop',
  testNetwork: name => `Test network ${name}. Money sent here has no value.`,
  sandboxNetwork: 'Sandbox. No real money is moved.',
  sandbox: {
    title: 'Pay in the sandbox',
    exact: 'Pay exactly',
    half: 'Pay half',
    double: 'Pay too much',
    late: 'Pay late',
  },
  openIn: 'Open in your wallet',
  payWithWallet: 'Pay with wallet',
  problems: {
    not_found: {
      title: 'There is no such payment',
      text: 'The link is not complete, or it is not from this shop. Open it again from where you got it.',
    },
    too_many: {
      title: 'Too many requests',
      text: 'Wait a minute and open the page again. Payments are credited meanwhile.',
    },
    unavailable: {
      title: 'The page cannot be shown right now',
      text: 'Try again in a minute. Money that you have already sent is not lost.',
    },
  },
  browser: {
    copied: 'Copied',
    offline: 'You are offline. The page continues when the connection is back.',
    walletAsked: 'Confirm the payment in your wallet.',
    walletSent: 'Sent. It appears here as soon as the network shows it.',
    walletDeclined: 'The wallet did not confirm. Nothing was sent.',
    walletWrongNetwork:
      'Your wallet is on another network. Switch it to the network shown here. Nothing was sent.',
    walletWrongCall: 'Your wallet prepared something other than this payment. Nothing was sent.',
    walletFailed: 'The wallet reports an error. Look into the wallet before you try again.',
  },
}

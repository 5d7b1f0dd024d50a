import { asksForMoney, type CheckoutView } from './checkout-view.ts'
import type { Words } from './words.ts'

/** What the page says first, in a few words and in a sentence. */
export interface Phrase {
  headline: string
  detail: string
  /** The tone, which the style sheet gives a colour. */
  tone: 'waiting' | 'seen' | 'short' | 'paid' | 'over' | 'closed'
}

export function phraseOf(view: CheckoutView, words: Words): Phrase {
  const { headlines, details } = words
  const received = withUnit(view.received)
  if (view.closed) return { headline: headlines.closed, detail: details.closed, tone: 'closed' }
  switch (view.state) {
    case 'paid':
      return {
        headline: view.isLate ? headlines.paidLate : headlines.paid,
        detail: details.paid(received),
        tone: 'paid',
      }
    case 'overpaid':
      return {
        headline: headlines.overpaid,
        detail: details.overpaid(received, withUnit(view.over)),
        tone: 'paid',
      }
    case 'seen': {
      const unsolid = view.payments.filter(payment => payment.state === 'seen')
      const needed = Math.max(...unsolid.map(payment => payment.needed))
      const whole = unsolid.length > 0 ? details.seen(needed) : details.checking
      return {
        headline: headlines.seen,
        detail: asksForMoney(view) ? details.seenInPart : whole,
        tone: 'seen',
      }
    }
    case 'underpaid': {
      const amount = withUnit(view.amount)
      return view.isExpired
        ? {
            headline: headlines.expiredUnderpaid,
            detail: details.expiredUnderpaid(received, amount),
            tone: 'over',
          }
        : { headline: headlines.underpaid, detail: details.underpaid(received, amount), tone: 'short' }
    }
    case 'waiting':
      if (view.isExpired) return { headline: headlines.expired, detail: details.expired, tone: 'over' }
      return {
        headline: headlines.waiting,
        detail: view.seenIsOff ? details.waitingSeenIsOff : details.waiting,
        tone: 'waiting',
      }
  }
}

/** The large amount and what it is: what to send while something is missing, then what has arrived. */
export function mainAmount(view: CheckoutView, words: Words): { label: string; amount: string } {
  if (view.state === 'paid' || view.state === 'overpaid') {
    return { label: words.amountReceived, amount: view.received }
  }
  if (!asksForMoney(view)) return { label: words.amountOrdered, amount: view.amount }
  if (view.missing !== view.amount) return { label: words.amountMissing, amount: view.missing }
  return { label: view.isExpired ? words.amountOrdered : words.amountToPay, amount: view.amount }
}

/** The document's title: it is what a payer sees of a tab in the background. */
export function titleOf(view: CheckoutView, words: Words): string {
  const { titles } = words
  const title = view.closed
    ? titles.closed
    : view.state === 'paid' || view.state === 'overpaid'
      ? titles.paid
      : view.isExpired
        ? titles.expired
        : view.state === 'seen' && !asksForMoney(view)
          ? titles.seen
          : view.missing !== view.amount
            ? titles.missing(withUnit(view.missing))
            : titles.pay(withUnit(view.amount))
  return view.merchant.name ? `${title} · ${view.merchant.name}` : title
}

/** "25" as "25.00 USDT". */
export function withUnit(amount: string): string {
  return `${shownAmount(amount)} USDT`
}

/** At least two decimals, as people write money. */
export function shownAmount(amount: string): string {
  const [whole, fraction = ''] = amount.split('.') as [string, string?]
  return `${whole}.${fraction.padEnd(2, '0')}`
}

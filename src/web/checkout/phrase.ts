import { asksForMoney, type CheckoutView, isPaidInFull } from './checkout-view.ts'
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
    case 'seen':
      return { headline: headlines.seen, detail: detailOfSeen(view, details), tone: 'seen' }
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

function detailOfSeen(view: CheckoutView, details: Words['details']): string {
  if (asksForMoney(view)) return view.isExpired ? details.seenInPartExpired : details.seenInPart
  const unsolid = view.payments.filter(payment => payment.state === 'seen')
  if (unsolid.length === 0) return details.checking
  return details.seen(Math.max(...unsolid.map(payment => payment.needed)))
}

/** The large amount and what it is: what to send while something is missing, then what has arrived. */
export function mainAmount(view: CheckoutView, words: Words): { label: string; amount: string } {
  if (isPaidInFull(view)) return { label: words.amountReceived, amount: view.received }
  if (!asksForMoney(view)) return { label: words.amountOrdered, amount: view.amount }
  if (view.missing !== view.amount) return { label: words.amountMissing, amount: view.missing }
  return { label: view.isExpired ? words.amountOrdered : words.amountToPay, amount: view.amount }
}

/** The document's title: it is what a payer sees of a tab in the background. */
export function titleOf(view: CheckoutView, words: Words): string {
  const title = shortTitle(view, words.titles)
  return view.merchant.name ? `${title} · ${view.merchant.name}` : title
}

function shortTitle(view: CheckoutView, titles: Words['titles']): string {
  if (view.closed) return titles.closed
  if (isPaidInFull(view)) return titles.paid
  if (!asksForMoney(view)) return titles.seen
  if (view.isExpired) return titles.expired
  if (view.missing !== view.amount) return titles.missing(withUnit(view.missing))
  return titles.pay(withUnit(view.amount))
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

/** @jsxRuntime automatic @jsxImportSource preact */
import { safeUrl } from '../shell/safe-url.ts'
import { Amount, CopyButton, LocalTime, shownDuration } from './checkout-parts.tsx'
import { asksForMoney, type CheckoutView, isPaidInFull } from './checkout-view.ts'
import { PayPanel } from './pay-panel.tsx'
import { PaymentList } from './payment-list.tsx'
import { mainAmount, type Phrase, phraseOf } from './phrase.ts'
import type { Words } from './words.ts'

/** Amounts with more characters are written smaller, so that they keep to one line on a phone. */
const longAmount = 9

/** All that changes while the page is open. */
export function LivePart(props: { view: CheckoutView; words: Words }) {
  const { view, words } = props
  const phrase = phraseOf(view, words)
  const asks = asksForMoney(view)
  const isOpen = asks && !view.isExpired
  return (
    <>
      <div
        class={isOpen ? 'sheet two' : 'sheet'}
        data-state={view.state}
        data-now={view.now}
        data-expires={isOpen ? view.expiresAt : undefined}
        data-say={`${phrase.headline}. ${phrase.detail}`}
      >
        <Summary view={view} words={words} phrase={phrase} />
        {isOpen && <PayPanel view={view} words={words} />}
        {view.payments.length > 0 && <PaymentList view={view} words={words} />}
        {asks && view.isExpired && (
          <details class="reveal">
            <summary>{words.showAddress}</summary>
            <PayPanel view={view} words={words} />
          </details>
        )}
        <Facts view={view} words={words} />
        {!view.closed && !view.isExpired && !isPaidInFull(view) && (
          <p class="afterwards quiet">{words.afterwards}</p>
        )}
      </div>
      <Links view={view} words={words} />
    </>
  )
}

function Summary(props: { view: CheckoutView; words: Words; phrase: Phrase }) {
  const { view, words, phrase } = props
  const isPaid = isPaidInFull(view)
  return (
    <section class={`summary tone-${phrase.tone}`}>
      {isPaid && (
        <svg class="done" viewBox="0 0 48 48" aria-hidden="true">
          <circle cx="24" cy="24" r="24" />
          <path d="M14 25l7 7 13-15" />
        </svg>
      )}
      <h1 class="state">{phrase.headline}</h1>
      {!view.closed && <MainAmount view={view} words={words} />}
      {asksForMoney(view) && <TimeLeft view={view} words={words} />}
      <p class="detail">{phrase.detail}</p>
      {isPaid && <ReturnLink view={view} words={words} class="button" />}
    </section>
  )
}

function MainAmount(props: { view: CheckoutView; words: Words }) {
  const { view, words } = props
  const main = mainAmount(view, words)
  const isLong = main.amount.length > longAmount
  return (
    <>
      <p class="label">{main.label}</p>
      <p class={isLong ? 'amount long' : 'amount'}>
        <span class="select">
          <Amount amount={main.amount} />
        </span>{' '}
        <span class="unit">USDT</span>
        {asksForMoney(view) && !view.isExpired && (
          <CopyButton id="copy-amount" text={main.amount} label={words.copyAmountLabel} words={words} />
        )}
      </p>
    </>
  )
}

function TimeLeft(props: { view: CheckoutView; words: Words }) {
  const { view, words } = props
  const until = <LocalTime seconds={view.expiresAt} now={view.now} />
  if (view.isExpired) {
    return (
      <p class="time quiet">
        {words.timeOver} {until}
      </p>
    )
  }
  return (
    <p class="time">
      {words.timeLeft} <strong id="time-left">{shownDuration(view.expiresAt - view.now)}</strong>{' '}
      <span class="quiet">({until})</span>
    </p>
  )
}

/** Ways out of the page. Until the order is paid, the way back to the shop is no more than one of them. */
function Links(props: { view: CheckoutView; words: Words }) {
  const { view, words } = props
  const support = safeUrl(view.merchant.supportUrl)
  return (
    <footer>
      {support && (
        <a id="support" href={support} rel="noreferrer">
          {words.support}
        </a>
      )}
      {!isPaidInFull(view) && <ReturnLink view={view} words={words} />}
    </footer>
  )
}

function ReturnLink(props: { view: CheckoutView; words: Words; class?: string }) {
  const { view, words } = props
  const href = safeUrl(view.returnUrl)
  if (!href) return null
  const { name } = view.merchant
  return (
    <a id="return" class={props.class} href={href} rel="noreferrer">
      {name ? words.returnToNamedShop(name) : words.returnToShop}
    </a>
  )
}

function Facts(props: { view: CheckoutView; words: Words }) {
  const { view, words } = props
  return (
    <dl class="facts">
      {view.received !== '0' && !isPaidInFull(view) && (
        <div>
          <dt>{words.amountReceived}</dt>
          <dd>
            <Amount amount={view.received} /> / <Amount amount={view.amount} /> USDT
          </dd>
        </div>
      )}
      {view.state === 'overpaid' && (
        <div>
          <dt>{words.amountOrdered}</dt>
          <dd>
            <Amount amount={view.amount} /> USDT
          </dd>
        </div>
      )}
      <div>
        <dt>{words.network}</dt>
        <dd>{words.networkName}</dd>
      </div>
      <div>
        <dt>{words.order}</dt>
        <dd class="mono">{view.orderid}</dd>
      </div>
    </dl>
  )
}

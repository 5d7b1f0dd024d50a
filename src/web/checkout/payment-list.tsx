/** @jsxRuntime automatic @jsxImportSource preact */
import { safeUrl } from '../shell/safe-url.ts'
import { Amount, LocalTime } from './checkout-parts.tsx'
import type { CheckoutPayment, CheckoutView } from './checkout-view.ts'
import type { Words } from './words.ts'

/** Every payment to the order, with the chain's own confirmations while it has not been credited. */
export function PaymentList(props: { view: CheckoutView; words: Words }) {
  const { view, words } = props
  return (
    <section class="payments" aria-labelledby="payments">
      <h2 id="payments">{words.payments}</h2>
      <ul>
        {view.payments.map((payment, i) => (
          <Payment key={`${payment.txid}:${i}`} payment={payment} now={view.now} words={words} />
        ))}
      </ul>
    </section>
  )
}

function Payment(props: { payment: CheckoutPayment; now: number; words: Words }) {
  const { payment, words } = props
  const tone = payment.state === 'credited' ? 'paid' : 'seen'
  const confirmations = Math.min(payment.confirmations, payment.needed)
  return (
    <li>
      <div class="row">
        <strong>
          <Amount amount={payment.amount} /> USDT
        </strong>
        <span class={`state tone-${tone}`}>
          {words.paymentStates[payment.state]}
          {payment.isLate && ` · ${words.late}`}
        </span>
      </div>
      {payment.state !== 'credited' && (
        <progress
          value={confirmations}
          max={payment.needed}
          aria-label={words.paymentStates[payment.state]}
        />
      )}
      {payment.state !== 'credited' && (
        <div class="row quiet">
          <span>{words.confirmations(confirmations, payment.needed)}</span>
          <span>{words.block(`${payment.block}`)}</span>
        </div>
      )}
      <div class="row quiet">
        <LocalTime seconds={payment.time} now={props.now} />
        <Transaction payment={payment} words={words} />
      </div>
    </li>
  )
}

function Transaction(props: { payment: CheckoutPayment; words: Words }) {
  const { txid, explorerUrl } = props.payment
  const href = safeUrl(explorerUrl)
  const short = `${txid.slice(0, 6)}…${txid.slice(-6)}`
  if (!href) {
    return (
      <span class="mono" title={txid}>
        {short}
      </span>
    )
  }
  return (
    <a
      class="mono"
      href={href}
      title={txid}
      target="_blank"
      rel="noreferrer noopener"
      aria-label={`${props.words.explorer}: ${props.words.transaction} ${short}`}
    >
      {short}
    </a>
  )
}

/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import type { NetworkName } from '../../../base/config.ts'
import { fromLegacyUnits } from '../../../base/money.ts'
import { explorerUrl } from '../../../tron/network.ts'
import { AttemptDetails, CallbackStateTag, NextText, toneOfAttempt } from '../callbacks/attempt-parts.tsx'
import { orderStateWords } from '../parts/order-state.tsx'
import { href, type Page, wordsOf } from '../parts/page.ts'
import { Amount, Id, State, Time, type Tone } from '../parts/value-parts.tsx'
import { orderDetailWords } from './order-detail-words.ts'
import type { TimelineEvent } from './order-timeline.ts'
import type { ConsoleOrder, OrderTransfer } from './timeline-store.ts'

/** Attempts whose answers are shown whole; those before them are cut, with a link to all of it. */
const wholeAnswers = 5

/** What happened to an order, the first thing first. */
export function TimelineList(props: {
  page: Page
  order: ConsoleOrder
  events: readonly TimelineEvent[]
  network: NetworkName | null
}) {
  const { page, order, events, network } = props
  const attempts = events.filter(({ kind }) => kind === 'attempt')
  const whole = new Set(attempts.slice(-wholeAnswers))
  return (
    <ol class="timeline">
      {events.map((event, i) => (
        <li key={i} class={`tone-${toneOf(event)}`}>
          <EventText page={page} order={order} event={event} isWhole={whole.has(event)} network={network} />
        </li>
      ))}
    </ol>
  )
}

function toneOf(event: TimelineEvent): Tone {
  switch (event.kind) {
    case 'credited':
      return event.state === 'paid' && !event.late ? 'green' : 'amber'
    case 'attempt':
      return toneOfAttempt(event.attempt)
    case 'next':
    case 'expired':
      return 'amber'
    default:
      return 'grey'
  }
}

function EventText(props: {
  page: Page
  order: ConsoleOrder
  event: TimelineEvent
  isWhole: boolean
  network: NetworkName | null
}) {
  const { page, order, event } = props
  const words = wordsOf(page, orderDetailWords)
  const { events } = words
  const { states, late } = wordsOf(page, orderStateWords)
  switch (event.kind) {
    case 'created':
      return (
        <Event name={events.created} at={event.at}>
          {event.by ? (
            <p class="quiet">
              {event.by.keyId !== null && `${words.byKey(`${event.by.keyId}`, event.by.scheme)} · `}
              {words.from} {event.by.clientAddress}
              {event.by.requestId && (
                <>
                  {' '}
                  · {words.request} <code>{event.by.requestId}</code>
                </>
              )}
            </p>
          ) : (
            <p class="quiet">{words.byUnknown}</p>
          )}
        </Event>
      )
    case 'expired':
      return (
        <Event name={events.expired} at={event.at}>
          <p class="quiet">{events.expiredText}</p>
        </Event>
      )
    case 'paid':
      return (
        <Event name={`${events.paid} ${event.transfer.height}`} at={event.at}>
          <TransferText
            page={page}
            order={order}
            transfer={event.transfer}
            confirmations={event.confirmations}
            network={props.network}
          />
        </Event>
      )
    case 'seen':
      return (
        <Event name={events.seen} at={event.at}>
          <p class="quiet">
            <Id text={event.transfer.txid} short />
          </p>
        </Event>
      )
    case 'solid': {
      const { proof } = event.transfer
      return (
        <Event name={events.solid} at={event.at}>
          <p class="quiet">
            {words.recorded} {proof && words.proofs[proof]}
          </p>
        </Event>
      )
    }
    case 'credited':
      return (
        <Event name={events.credited} at={event.at}>
          <p>
            <Amount units={event.transfer.amount} /> USDT{' '}
            <State tone={event.state === 'paid' ? 'green' : 'amber'}>{states[event.state]}</State>{' '}
            {event.late && <State tone="amber">{late}</State>}
          </p>
          <p class="quiet">
            {words.totalNow} <Amount units={event.transfer.received!} /> USDT
          </p>
        </Event>
      )
    case 'callback': {
      const { callback } = event
      return (
        <Event name={events.callback} at={event.at}>
          <p>
            <Id text={callback.key} short link={href(page, `/callbacks/${callback.key}`)} />{' '}
            <CallbackStateTag page={page} {...callback} />
          </p>
          <p class="quiet">
            {words.announces} <Amount units={fromLegacyUnits(callback.bodyAmount)} /> USDT · {callback.origin}
          </p>
        </Event>
      )
    }
    case 'attempt': {
      const wholeAt = props.isWhole ? null : href(page, `/callbacks/${event.callback.key}`)
      return (
        <>
          <p class="quiet">
            <Time at={event.at} />
          </p>
          <AttemptDetails page={page} attempt={event.attempt} after={event.after} wholeAt={wholeAt} />
        </>
      )
    }
    case 'next':
      return (
        <p>
          <strong>{events.next}</strong> <NextText page={page} next={event.next} />
        </p>
      )
    case 'note':
      return (
        <Event name={`${events.note} ${event.note.author}`} at={event.at}>
          <p class="note-text">{event.note.text}</p>
        </Event>
      )
  }
}

function Event(props: { name: string; at: Date; children: ComponentChildren }) {
  return (
    <>
      <p>
        <strong>{props.name}</strong>{' '}
        <span class="quiet">
          <Time at={props.at} />
        </span>
      </p>
      {props.children}
    </>
  )
}

function TransferText(props: {
  page: Page
  order: ConsoleOrder
  transfer: OrderTransfer
  confirmations: number | null
  network: NetworkName | null
}) {
  const { page, order, transfer, confirmations, network } = props
  const words = wordsOf(page, orderDetailWords)
  const { txid, from, amount, state } = transfer
  return (
    <>
      <p>
        <Amount units={amount} /> USDT{' '}
        <Id text={txid} short link={(network && explorerUrl(network, txid)) ?? undefined} />
      </p>
      <p class="quiet">
        {words.sender} <Id text={from} short />
        {confirmations !== null && ` · ${words.confirmations(Math.min(confirmations, 19))}`}
      </p>
      {state !== 'credited' && (
        <p class="quiet">
          {words.waits[state]} {!order.ownAddress && words.mayBeOther}
        </p>
      )}
    </>
  )
}

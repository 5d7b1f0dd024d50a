/** @jsxRuntime automatic @jsxImportSource preact */
import type { CallbackState } from '../../../callbacks/outbox/callback.ts'
import { type Page, wordsOf } from '../parts/page.ts'
import { durationText, State, Time, type Tone } from '../parts/value-parts.tsx'
import { attemptWords } from './attempt-words.ts'
import {
  type AfterAttempt,
  type NextAttempt,
  type RecordedAttempt,
  reasonOf,
  scheduleAttempts,
} from './why-attempt.ts'

const tones: Record<CallbackState, Tone> = {
  due: 'amber',
  in_flight: 'amber',
  held: 'grey',
  delivered: 'green',
  exhausted: 'red',
}

/** A callback's state; one that is due again after attempts that failed says so. */
export function CallbackStateTag(props: { page: Page; state: CallbackState; isFailing: boolean }) {
  const { state, isFailing } = props
  const words = wordsOf(props.page, attemptWords)
  return (
    <State tone={isFailing ? 'red' : tones[state]}>{isFailing ? words.failing : words.states[state]}</State>
  )
}

export function toneOfAttempt({ outcome }: Pick<RecordedAttempt, 'outcome'>): Tone {
  return outcome === 'acknowledged' ? 'green' : 'red'
}

/** What is shown of an answer where it is not shown whole. */
const shortAnswer = 160

/** One attempt: how it ended, why it counts as it does, and what followed. @param wholeAt where all of the answer is; null: here. */
export function AttemptDetails(props: {
  page: Page
  attempt: RecordedAttempt
  after: AfterAttempt
  wholeAt: string | null
}) {
  const { page, attempt, wholeAt } = props
  const { status, durationMs, url, answer, scheduleStep } = attempt
  const words = wordsOf(page, attemptWords)
  return (
    <>
      <p>
        <strong>{words.attempt(attempt.attempt)}</strong>{' '}
        <State tone={toneOfAttempt(attempt)}>{status === null ? words.noStatus : `${status}`}</State>{' '}
        <span class="quiet">
          {durationText(durationMs)}
          {scheduleStep !== null && ` · ${words.step(scheduleStep + 1, scheduleAttempts)}`}
        </span>
      </p>
      {url && (
        <p class="quiet">
          POST <code>{url}</code>
        </p>
      )}
      <p>{words.reasons[reasonOf(attempt)]}</p>
      <After page={page} after={props.after} />
      {answer === '' && <p class="quiet">{words.emptyAnswer}</p>}
      {answer && <Answer page={page} answer={answer} wholeAt={wholeAt} />}
    </>
  )
}

function Answer(props: { page: Page; answer: string; wholeAt: string | null }) {
  const { answer, wholeAt } = props
  const words = wordsOf(props.page, attemptWords)
  const isCut = wholeAt !== null && answer.length > shortAnswer
  return (
    <details>
      <summary>{isCut ? words.answerStart : words.answer}</summary>
      <pre>{isCut ? `${answer.slice(0, shortAnswer)}…` : answer}</pre>
      {isCut && (
        <p>
          <a href={wholeAt}>{words.wholeAnswer}</a>
        </p>
      )}
    </details>
  )
}

function After(props: { page: Page; after: AfterAttempt }) {
  const { after } = props
  const words = wordsOf(props.page, attemptWords)
  switch (after.kind) {
    case 'delivered':
    case 'unknown':
      return null
    case 'stays_delivered':
      return <p>{words.staysDelivered}</p>
    case 'exhausted':
      return <p>{after.why === 'gone' ? words.gone : words.noAttemptsLeft}</p>
    case 'retry':
      return (
        <p>
          {(after.why === 'schedule' ? words.retry : words.retryAfter)(durationText(after.inMs))}{' '}
          <Time at={after.at} />
        </p>
      )
  }
}

/** What a callback waits for. */
export function NextText(props: { page: Page; next: NextAttempt }) {
  const { next } = props
  const words = wordsOf(props.page, attemptWords)
  return (
    <>
      {words.next[next.why]} {'at' in next && <Time at={next.at} />}
    </>
  )
}

/** @jsxRuntime automatic @jsxImportSource preact */
import { shownAmount } from './phrase.ts'
import type { Words } from './words.ts'

/** Text in groups with gaps drawn by the style sheet, so that it copies without them. Lines may break between groups. */
export function Grouped(props: { groups: readonly string[]; breaks?: boolean }) {
  return (
    <>
      {props.groups.map((group, i) => (
        <span class="group" key={i}>
          {group}
          {props.breaks && <wbr />}
        </span>
      ))}
    </>
  )
}

/** An address or an id in groups of four. */
export function Fours(props: { text: string }) {
  return <Grouped groups={props.text.match(/.{1,4}/gs) ?? []} breaks />
}

/** A decimal amount, its thousands apart. */
export function Amount(props: { amount: string }) {
  const [whole, fraction] = shownAmount(props.amount).split('.') as [string, string]
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ' ').split(' ')
  return (
    <span class="figure">
      <Grouped groups={[...groups.slice(0, -1), `${groups.at(-1)}.${fraction}`]} />
    </span>
  )
}

/** Hidden until the browser's module is there: without script it could do nothing. */
export function CopyButton(props: { id: string; text: string; label: string; words: Words }) {
  return (
    <button
      type="button"
      id={props.id}
      class="copy needs-script"
      data-copy={props.text}
      aria-label={props.label}
    >
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        <path d="M5.5 5.5V3a1 1 0 0 1 1-1H13a1 1 0 0 1 1 1v6.5a1 1 0 0 1-1 1h-2.5M3 5.5h6.5a1 1 0 0 1 1 1V13a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V6.5a1 1 0 0 1 1-1z" />
      </svg>
      <span class="copy-text">{props.words.copy}</span>
    </button>
  )
}

/**
 * A time in UTC, which the browser's module turns into the payer's own.
 * @param seconds Unix time.
 * @param now the server's Unix time: the day is written unless it is today.
 */
export function LocalTime(props: { seconds: number; now: number }) {
  const iso = new Date(props.seconds * 1000).toISOString()
  const [day, time] = [iso.slice(0, 10), iso.slice(11, 16)]
  const isToday = new Date(props.now * 1000).toISOString().startsWith(day)
  return (
    <time dateTime={iso} title={`${day} ${iso.slice(11, 19)} UTC`} data-local>
      {isToday ? time : `${day} ${time}`} UTC
    </time>
  )
}

/** Seconds as 9:05 or 1:09:05, as the browser's module writes them too. */
export function shownDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const shown = parts[0] === 0 ? parts.slice(1) : parts
  return shown.map((part, i) => (i === 0 ? `${part}` : `${part}`.padStart(2, '0'))).join(':')
}

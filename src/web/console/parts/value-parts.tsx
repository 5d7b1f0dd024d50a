/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { formatUsdt } from '../../../base/money.ts'
import { commonWords } from './common-words.ts'
import type { Page } from './page.ts'

/** A state's colour; the word beside it says the same. */
export type Tone = 'grey' | 'amber' | 'green' | 'red'

export function State(props: { tone: Tone; children: ComponentChildren }) {
  return <span class={`state tone-${props.tone}`}>{props.children}</span>
}

/** USDT of base units, with its thousands apart and at least two decimals; what is drawn between groups is not copied. */
export function Amount(props: { units: bigint }) {
  const [whole, fraction = ''] = formatUsdt(props.units).split('.') as [string, string?]
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ' ').split(' ')
  const shown = fraction.replace(/0+$/, '').padEnd(2, '0')
  return (
    <span class="figure">
      {groups.map((group, i) => (
        <span class="group" key={i}>
          {i === groups.length - 1 ? `${group}.${shown}` : group}
        </span>
      ))}
    </span>
  )
}

/** A whole number with its thousands apart. */
export function Count(props: { value: number | bigint }) {
  return <span class="figure">{`${props.value}`.replace(/\B(?=(\d{3})+$)/g, '\u2009')}</span>
}

/**
 * An address or a long id in groups of four, which copy without the gaps; one of several parts, and a short one, as it is.
 * `short`: its ends alone, the whole in the title.
 */
export function Id(props: { text: string; short?: boolean; link?: string | undefined }) {
  const { text, short, link } = props
  const cut = short && text.length > 16
  const fours = /^[a-z\d]{20,}$/i.test(text) ? text.match(/.{1,4}/g) : null
  const whole = fours?.map((group, i) => (
    <span class="group" key={i}>
      {group}
      <wbr />
    </span>
  ))
  const inside = (
    <span class="mono id" title={cut ? text : undefined}>
      {cut ? `${text.slice(0, 6)}…${text.slice(-6)}` : (whole ?? text)}
    </span>
  )
  return link === undefined ? inside : <a href={link}>{inside}</a>
}

/** An id with a button that copies the whole of it. */
export function CopyableId(props: { page: Page; text: string; short?: boolean }) {
  const { copy, copied } = commonWords(props.page)
  return (
    <span class="copyable">
      <Id text={props.text} short={props.short ?? false} />
      <button type="button" class="copy needs-script" data-copy={props.text} data-copied={copied}>
        {copy}
      </button>
    </span>
  )
}

/** A time in UTC. The browser's module writes the local one, and leaves UTC in the title. null: a dash. */
export function Time(props: { at: Date | null }) {
  if (!props.at) return <span class="quiet">–</span>
  const iso = props.at.toISOString()
  const utc = `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`
  return (
    <time dateTime={iso} title={utc} data-local>
      {utc}
    </time>
  )
}

/** Milliseconds as people read them: 340 ms, 2.4 s, 3 min, 5 h, 2 d. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 36 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`
  return `${Math.round(ms / 86_400_000)} d`
}

/** Text in which backquotes stand around code. */
export function WithCode(props: { text: string }) {
  return <>{props.text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>
}

/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { formatUsdt } from '../../../base/money.ts'
import { commonWords } from './common-words.ts'
import { href, type Page } from './page.ts'

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

export interface Column<R> {
  head: string
  /** `end`: numbers, to the right. */
  align?: 'end'
  cell: (row: R) => ComponentChildren
}

/** A table, which becomes cards on a phone. Without rows, `empty` says what to do next. */
export function Table<R>(props: {
  caption: string
  columns: readonly Column<R>[]
  rows: readonly R[]
  empty: ComponentChildren
}) {
  if (props.rows.length === 0) return <div class="empty">{props.empty}</div>
  const classOf = (column: Column<R>) => (column.align === 'end' ? 'end' : undefined)
  return (
    <div class="table">
      <table>
        <caption class="unseen">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map(column => (
              <th scope="col" class={classOf(column)} key={column.head}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, i) => (
            <tr key={i}>
              {props.columns.map(column => (
                <td class={classOf(column)} data-head={column.head} key={column.head}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Links to the next page of a list and back to its first. `forward`: the list does not begin with what is newest. */
export function Pager(props: { page: Page; next: string | null; first: string | null; forward?: true }) {
  const words = commonWords(props.page)
  if (!props.next && !props.first) return null
  return (
    <p class="pager">
      {props.first && (
        <a class="button plain" href={props.first}>
          {props.forward ? words.beginning : words.newest}
        </a>
      )}
      {props.next && (
        <a class="button plain" rel="next" href={props.next}>
          {props.forward ? words.more : words.next}
        </a>
      )}
    </p>
  )
}

/** Facts about one thing: a name and a value on each line. */
export function Facts(props: { rows: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {props.rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Text in which backquotes stand around code. */
export function WithCode(props: { text: string }) {
  return <>{props.text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>
}

/** A part of a page with a heading. `wide`: over all columns. */
export function Section(props: { title: string; id?: string; children: ComponentChildren }) {
  return (
    <section class="card" id={props.id}>
      <h2>{props.title}</h2>
      {props.children}
    </section>
  )
}

/** A form that changes something: with the hidden field that shows that it is ours. `action` is a path made by `href`. */
export function Form(props: {
  page: Page
  action: string
  class?: string
  /** The browser's module asks this before it sends. */
  ask?: string
  /** The browser's module has an authenticator sign it: see PasskeyForm. */
  passkey?: { does: 'create' | 'get'; options: string }
  /** It has a file among its fields. */
  files?: true
  children: ComponentChildren
}) {
  return (
    <form
      {...{ method: 'post', action: props.action, class: props.class ?? 'form', 'data-ask': props.ask }}
      {...{ 'data-passkey': props.passkey?.does, 'data-options': props.passkey?.options }}
      {...(props.files && { enctype: 'multipart/form-data' })}
    >
      <input type="hidden" name="_csrf" value={props.page.csrf} />
      {props.children}
    </form>
  )
}

/**
 * A form that filters a list: its values stand in the address.
 * @param props.isSet whether something is filtered: else a phone shows the form only when it is asked for.
 */
export function Filters(props: { page: Page; path: string; isSet?: boolean; children: ComponentChildren }) {
  const { isSet, ...form } = props
  if (isSet === undefined) return <FilterForm {...form} />
  return (
    <details class="fold" open={isSet}>
      <summary>{commonWords(props.page).filters}</summary>
      <FilterForm {...form} />
    </details>
  )
}

function FilterForm(props: { page: Page; path: string; children: ComponentChildren }) {
  const words = commonWords(props.page)
  const target = href(props.page, props.path)
  const merchant = new URL(target, 'http://x').searchParams.get('merchant')
  return (
    <form method="get" action={target.split('?')[0]} class="filters">
      {merchant && <input type="hidden" name="merchant" value={merchant} />}
      {props.children}
      <div class="actions">
        <button class="button" type="submit">
          {words.filter}
        </button>
        <a class="button plain" href={target}>
          {words.clear}
        </a>
      </div>
    </form>
  )
}

interface FieldProps {
  label: string
  name: string
  value?: string
  hint?: string | undefined
  /** What is wrong with the value, beside it. */
  error?: string | undefined
  required?: boolean
  /** Tells it from a field of the same name in another form of the page. */
  form?: string
}

/** By what a field, its label and its hint know each other. */
const keyOf = ({ form, name }: Pick<FieldProps, 'form' | 'name'>) => (form ? `${form}-${name}` : name)

/** A labelled field of one line. */
export function Field(
  props: FieldProps & {
    type?: 'text' | 'email' | 'password' | 'url' | 'number' | 'date' | 'search' | 'color'
    autocomplete?: string
    inputMode?: 'numeric' | 'decimal'
    maxLength?: number
    autofocus?: boolean
  },
) {
  const { name, hint, error, type = 'text' } = props
  return (
    <p class="field">
      <label for={`f-${keyOf(props)}`}>{props.label}</label>
      <input
        {...described(keyOf(props), hint, error)}
        {...(props.inputMode && { inputMode: props.inputMode })}
        {...(props.maxLength && { maxLength: props.maxLength })}
        name={name}
        // The same attributes suit all of them; preact's types tell each from the others.
        type={type as 'text'}
        value={type === 'password' ? '' : (props.value ?? '')}
        required={props.required ?? false}
        autocomplete={props.autocomplete ?? 'off'}
        autofocus={props.autofocus ?? false}
      />
      <Hint name={keyOf(props)} hint={hint} error={error} />
    </p>
  )
}

/** A labelled field of several lines. */
export function LongField(props: FieldProps & { rows?: number; maxLength?: number }) {
  const { name, hint, error } = props
  return (
    <p class="field">
      <label for={`f-${keyOf(props)}`}>{props.label}</label>
      <textarea
        {...described(keyOf(props), hint, error)}
        {...(props.maxLength && { maxLength: props.maxLength })}
        name={name}
        rows={props.rows ?? 3}
        required={props.required ?? false}
        value={props.value ?? ''}
      />
      <Hint name={keyOf(props)} hint={hint} error={error} />
    </p>
  )
}

/** A labelled choice of one. */
export function Choice(
  props: FieldProps & { options: readonly (readonly [value: string, label: string])[] },
) {
  const { name, hint, error } = props
  return (
    <p class="field">
      <label for={`f-${keyOf(props)}`}>{props.label}</label>
      <select {...described(keyOf(props), hint, error)} name={name}>
        {props.options.map(([value, label]) => (
          <option value={value} selected={value === props.value} key={value}>
            {label}
          </option>
        ))}
      </select>
      <Hint name={keyOf(props)} hint={hint} error={error} />
    </p>
  )
}

/** A box to tick. */
export function Tick(props: { label: string; name: string; checked: boolean; hint?: string }) {
  return (
    <p class="field tick">
      <label>
        <input type="checkbox" name={props.name} value="yes" checked={props.checked} /> {props.label}
      </label>
      <Hint name={props.name} hint={props.hint} error={undefined} />
    </p>
  )
}

/** A field for a file. `accept`: the types that the browser offers. The form needs `files`. */
export function FileField(props: FieldProps & { accept: string }) {
  const { name, hint, error } = props
  return (
    <p class="field">
      <label for={`f-${name}`}>{props.label}</label>
      <input {...described(name, hint, error)} type="file" name={name} accept={props.accept} />
      <Hint name={name} hint={hint} error={error} />
    </p>
  )
}

/** The field for why somebody does something. `readReason` reads it. */
export function ReasonField(props: {
  page: Page
  error?: string | undefined
  value?: string
  form?: string
}) {
  const words = commonWords(props.page)
  return (
    <Field
      {...(props.form && { form: props.form })}
      label={words.reason}
      name="reason"
      hint={words.reasonHint}
      error={props.error}
      value={props.value ?? ''}
      maxLength={500}
      required
    />
  )
}

export function Submit(props: {
  children: ComponentChildren
  plain?: boolean
  name?: string
  value?: string
}) {
  return (
    <button
      class={props.plain ? 'button plain' : 'button'}
      type="submit"
      name={props.name}
      value={props.value}
    >
      {props.children}
    </button>
  )
}

/** The ids that join a field, its label and what is said of it. */
function described(name: string, hint: string | undefined, error: string | undefined) {
  return {
    id: `f-${name}`,
    ...(error && { 'aria-invalid': true as const }),
    ...((hint || error) && { 'aria-describedby': `h-${name}` }),
  }
}

function Hint(props: { name: string; hint: string | undefined; error: string | undefined }) {
  if (!props.hint && !props.error) return null
  return (
    <span id={`h-${props.name}`} class={props.error ? 'hint wrong' : 'hint'}>
      {props.error ?? props.hint}
    </span>
  )
}

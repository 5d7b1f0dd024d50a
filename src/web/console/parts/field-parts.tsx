/** @jsxRuntime automatic @jsxImportSource preact */
import { commonWords } from './common-words.ts'
import type { Page } from './page.ts'

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

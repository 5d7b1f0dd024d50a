/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { commonWords } from './common-words.ts'
import { href, type Page } from './page.ts'

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

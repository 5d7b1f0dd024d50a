/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { type ChallengedSession, type PasskeySite, passkeySiteOf } from '../../../people/passkeys.ts'
import { Form } from './form-parts.tsx'
import { type Page, viewerOf } from './page.ts'

/** The site that passkeys are for. null: browsers have none at the console's URL. */
export const siteOf = (page: Page): PasskeySite | null => passkeySiteOf(page.context.publicUrl())

/** The session whose challenge a passkey signs. */
export function challengedSession(page: Page): ChallengedSession {
  const { session, sessionId } = viewerOf(page)
  return { id: sessionId, challenge: session.challenge, now: page.now }
}

/**
 * What the browser's module sent of an authenticator.
 * @returns undefined: it was not the module, but the form without it.
 */
export function passkeyAnswerOf(page: Page): unknown {
  const { body } = page.request
  return Object.hasOwn(Object(body), 'response') &&
    typeof (body as { response: unknown }).response === 'object'
    ? (body as { response: unknown }).response
    : undefined
}

/**
 * A form that the browser's module sends, with what an authenticator signed.
 * @param options where the module asks what is to be signed. @param failed what is said when it did not work.
 */
export function PasskeyForm(props: {
  page: Page
  does: 'create' | 'get'
  action: string
  options: string
  failed: string
  /** What is said to a browser without script. */
  without: string
  children: ComponentChildren
}) {
  return (
    <Form
      {...{ page: props.page, action: props.action }}
      passkey={{ does: props.does, options: props.options }}
    >
      {props.children}
      <p class="hint wrong" role="alert" data-failed={props.failed} />
      <noscript>{props.without}</noscript>
    </Form>
  )
}

/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { GatewayError } from '../../../base/errors.ts'
import type { CreditRules } from '../../../credits/credit-rules.ts'
import { readRules } from '../../../credits/credit-rules.ts'
import type { Decided, Decision } from '../../../credits/decision.ts'
import type { ListedMark } from '../../../credits/mark-store.ts'
import { ReasonField } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Table } from '../parts/list-parts.tsx'
import { authorOfPage, can, href, type Page, wordsOf } from '../parts/page.ts'
import { readReason } from '../parts/read-reason.ts'
import type { Answer } from '../parts/route.ts'
import { Amount, Id, State, Time, type Tone } from '../parts/value-parts.tsx'
import { type MoneyWords, moneyWords } from './money-words.ts'

export const wordsFor = (page: Page): MoneyWords => wordsOf(page, moneyWords)

const tones: Record<string, Tone> = {
  credited: 'green',
  deposit: 'green',
  settled_outside: 'grey',
  rejected: 'grey',
  resolved: 'grey',
}

/** A state by word and colour: what waits is amber. */
export function MoneyState(props: { page: Page; state: string }) {
  const words = wordsFor(props.page)
  return <State tone={tones[props.state] ?? 'amber'}>{words.states[props.state] ?? props.state}</State>
}

/** Reads an id of the path. @throws GatewayError not_found when it is none. */
export function idOf(page: Page): bigint {
  const text = page.params.id ?? ''
  if (!/^\d{1,18}$/.test(text)) throw new GatewayError('not_found', 'that is no id')
  return BigInt(text)
}

/** @throws GatewayError not_found where there is nothing, or it is somebody else's. */
export function found<T>(thing: T | null | undefined): T {
  if (thing === null || thing === undefined)
    throw new GatewayError('not_found', 'there is nothing with that id')
  return thing
}

/** What was wrong with a form that is shown again, by the name of its part. */
export interface Wrong {
  /** Which of the page's forms it was. */
  form: string
  field?: string
  text: string
}

export const errorOf = (wrong: Wrong | undefined, form: string, field: string): string | undefined =>
  wrong?.form === form && wrong.field === field ? wrong.text : undefined

/** The page's answer when a form was wrong beyond one field. */
export const problemOf = (wrong: Wrong | undefined): string | undefined =>
  wrong && wrong.field === undefined ? wrong.text : undefined

/** Reads who decides, and why. @returns undefined when the reason is missing: `reasonMissing` says so. */
export function decisionOf(page: Page): Decision | undefined {
  const reason = readReason(page)
  return reason === null ? undefined : { ...authorOfPage(page), reason }
}

export const reasonMissing = (page: Page, form: string): Wrong => ({
  ...{ form, field: 'reason', text: wordsFor(page).problems.reason },
})

/** @throws UsageError before anything is watched. */
export function rulesOf({ context }: Page): Promise<CreditRules> {
  return readRules(context.pool, context.config.creditQuorumAmount)
}

/** Goes to the page of what was decided, or says why nothing was. */
export async function afterDecision(
  page: Page,
  decided: Decided<string>,
  options: { path: string; done: string; form: string; show: (wrong: Wrong) => Promise<Answer> },
): Promise<Answer> {
  const { kind, state } = decided
  if (kind === 'done') return { goTo: href(page, options.path, { done: options.done }) }
  if (kind === 'already') return { goTo: href(page, options.path, { done: 'already' }) }
  const { problems, states } = wordsFor(page)
  if (state === 'unknown') throw new GatewayError('not_found', 'there is nothing with that id')
  const text = state === 'refunded' ? problems.refunded : problems.impossible(states[state] ?? state)
  return options.show({ form: options.form, text })
}

/** A form with a reason and one button for each decision. */
export function DecideForm(props: {
  page: Page
  action: string
  form: string
  wrong: Wrong | undefined
  ask?: string
  /** What can be decided, and what its button says. */
  buttons: readonly (readonly [value: string, label: string])[]
  children?: ComponentChildren
}) {
  const { page, form, wrong, buttons } = props
  const isWrong = wrong?.form === form
  return (
    <Form page={page} action={props.action} {...(props.ask && { ask: props.ask })}>
      {props.children}
      <ReasonField
        page={page}
        form={form}
        error={errorOf(wrong, form, 'reason')}
        value={isWrong ? page.form.text('reason') : ''}
      />
      <div class="actions">
        {buttons.map(([value, label], i) => (
          <Submit plain={i > 0} name="decision" value={value} key={value}>
            {label}
          </Submit>
        ))}
      </div>
    </Form>
  )
}

/** The marks of one transfer or order, each with a form to withdraw it. */
export function MarkTable(props: { page: Page; marks: readonly ListedMark[] }) {
  const { page, marks } = props
  const words = wordsFor(page)
  return (
    <Table
      caption={words.marksTitle}
      rows={marks}
      empty={words.empty.marks}
      columns={[
        { head: words.kind, cell: mark => <MarkKindText page={page} mark={mark} /> },
        { head: words.amount, align: 'end', cell: mark => <Amount units={mark.amount} /> },
        { head: words.why, cell: mark => mark.reason },
        { head: words.txid, cell: mark => mark.txid && <Id text={mark.txid} short /> },
        { head: words.who, cell: mark => mark.madeBy },
        { head: words.at, cell: mark => <Time at={mark.createdAt} /> },
        {
          head: words.withdraw,
          cell: mark => canWithdraw(page, mark) && <WithdrawForm page={page} mark={mark} />,
        },
      ]}
    />
  )
}

const canWithdraw = (page: Page, mark: ListedMark): boolean =>
  can(page, 'money') && mark.kind !== 'withdrawal' && mark.withdrawnBy === null

export function MarkKindText(props: {
  page: Page
  mark: Pick<ListedMark, 'kind' | 'withdraws' | 'withdrawnBy'>
}) {
  const { kind, withdraws, withdrawnBy } = props.mark
  const words = wordsFor(props.page)
  return (
    <span>
      {words.kinds[kind]}
      {withdraws !== null && <span class="hint"> {words.withdraws(`${withdraws}`)}</span>}
      {withdrawnBy !== null && (
        <>
          {' '}
          <State tone="grey">{words.withdrawn}</State>
        </>
      )}
    </span>
  )
}

function WithdrawForm(props: { page: Page; mark: ListedMark }) {
  const { page, mark } = props
  const words = wordsFor(page)
  return (
    <details>
      <summary>{words.withdraw}</summary>
      <Form page={page} action={href(page, `/money/marks/${mark.id}/withdraw`)} ask={words.withdrawAsk}>
        <p class="field">
          <label for={`f-why-${mark.id}`}>{words.why}</label>
          <input id={`f-why-${mark.id}`} name="reason" required maxLength={500} autocomplete="off" />
        </p>
        <Submit plain>{words.withdraw}</Submit>
      </Form>
    </details>
  )
}

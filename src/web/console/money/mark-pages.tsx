/** @jsxRuntime automatic @jsxImportSource preact */
import type { MarkId } from '../../../base/ids.ts'
import { parseSignedUsdt } from '../../../base/money.ts'
import { makeMark, type markRefusals } from '../../../credits/make-mark.ts'
import { type MarkTarget, readTxid } from '../../../credits/mark.ts'
import { type ListedMark, listMarksOf } from '../../../credits/mark-store.ts'
import { withdrawMark } from '../../../credits/settle-outside.ts'
import { Choice, Field, ReasonField } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Section } from '../parts/list-parts.tsx'
import { can, href, type Page, scopeOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, Time } from '../parts/value-parts.tsx'
import {
  afterDecision,
  DecideForm,
  decisionOf,
  errorOf,
  found,
  idOf,
  MarkKindText,
  MarkTable,
  problemOf,
  reasonMissing,
  rulesOf,
  type Wrong,
  wordsFor,
} from './money-parts.tsx'
import { orderPathOf, transferPathOf } from './money-paths.ts'
import { type MoneyOrder, readMoneyOrder } from './money-store.ts'

export const markRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/money/orders/:ordersn', who: 'see', handle: async page => showOrderMarks(page) },
  { method: 'POST', path: '/money/orders/:ordersn/mark', who: 'money', handle: markOrder },
  { method: 'POST', path: '/money/marks/:id/withdraw', who: 'money', handle: withdraw },
]

/** The form for a refund or a correction. */
export function MarkForm(props: { page: Page; action: string; wrong: Wrong | undefined }) {
  const { page, wrong } = props
  const words = wordsFor(page)
  const { mark: said } = words
  const kept = (name: string) => (wrong?.form === 'mark' ? page.form.text(name) : '')
  const form = 'mark'
  return (
    <Section title={said.title} id="mark">
      <p class="hint">{said.hint}</p>
      <Form page={page} action={props.action}>
        <Choice
          {...{ form, name: 'kind', label: said.kind, value: kept('kind') }}
          options={[
            ['refund', words.kinds.refund],
            ['correction', words.kinds.correction],
          ]}
        />
        <Field
          {...{ form, name: 'amount', label: said.amount, hint: said.amountHint, value: kept('amount') }}
          error={errorOf(wrong, form, 'amount')}
          maxLength={24}
          required
        />
        <Field
          {...{ form, name: 'txid', label: said.txid, hint: said.txidHint, value: kept('txid') }}
          error={errorOf(wrong, form, 'txid')}
          maxLength={66}
        />
        <ReasonField page={page} form={form} error={errorOf(wrong, form, 'reason')} value={kept('reason')} />
        <Submit>{said.submit}</Submit>
      </Form>
    </Section>
  )
}

/** Beside which field a refusal is said. */
const fieldOf: Partial<Record<keyof typeof markRefusals, string>> = {
  bad_amount: 'amount',
  too_much: 'amount',
  no_txid: 'txid',
  own_txid: 'txid',
  txid_used: 'txid',
}

/** Notes what the form says. @param path of the page that has it; `show`: that page with what was wrong. */
export async function noteMark(
  page: Page,
  target: MarkTarget,
  path: string,
  show: (wrong: Wrong) => Promise<Answer>,
): Promise<Answer> {
  const { mark: said, problems } = wordsFor(page)
  const form = 'mark'
  const amount = parseSignedUsdt(page.form.text('amount'))
  if (amount === null) return show({ form, field: 'amount', text: said.badAmount })
  const given = page.form.text('txid')
  const txid = given === '' ? null : readTxid(given)
  if (txid === undefined) return show({ form, field: 'txid', text: said.badTxid })
  const decision = decisionOf(page)
  if (!decision) return show(reasonMissing(page, form))
  const kind = page.form.text('kind') === 'correction' ? 'correction' : 'refund'
  const wanted = { kind, target, amount, txid } as const
  const marked = await makeMark(page.context.pool, await rulesOf(page), wanted, decision, scopeOf(page))
  if (marked.kind === 'refused') {
    const { code } = marked
    const field = fieldOf[code]
    return show({ form, text: problems[code], ...(field && { field }) })
  }
  return { goTo: href(page, path, { done: marked.kind === 'done' ? 'noted' : 'already' }) }
}

async function orderOf(page: Page): Promise<MoneyOrder> {
  return found(await readMoneyOrder(page.context.reads, page.params.ordersn!, scopeOf(page)))
}

async function showOrderMarks(page: Page, wrong?: Wrong): Promise<Answer> {
  const order = await orderOf(page)
  const marks = await listMarksOf(page.context.reads, { orderId: order.id })
  const words = wordsFor(page)
  const title = words.orderTitle(order.orderid)
  return {
    ...{ title, status: wrong ? 400 : 200, problem: problemOf(wrong) },
    notice: words.done[page.query.text('done')],
    body: (
      <>
        <div class="title">
          <h1>{title}</h1>
          <a class="button plain" href={href(page, `/orders/${encodeURIComponent(order.ordersn)}`)}>
            {words.seeOrder}
          </a>
        </div>
        <Section title={words.facts}>
          <Facts
            rows={[
              [words.amount, <Amount units={order.amount} />],
              [words.received, <Amount units={order.received} />],
              [words.user, order.localusermark],
              [words.created, <Time at={order.createdAt} />],
            ]}
          />
        </Section>
        <Section title={words.marksTitle} id="marks">
          <MarkTable page={page} marks={marks} />
        </Section>
        {can(page, 'money') && (
          <MarkForm page={page} wrong={wrong} action={href(page, `${orderPathOf(order.ordersn)}/mark`)} />
        )}
      </>
    ),
  }
}

async function markOrder(page: Page): Promise<Answer> {
  const order = await orderOf(page)
  return noteMark(page, { orderId: order.id }, orderPathOf(order.ordersn), wrong =>
    showOrderMarks(page, wrong),
  )
}

async function withdraw(page: Page): Promise<Answer> {
  const id = idOf(page)
  const scope = scopeOf(page)
  const marks = await listMarksOf(page.context.reads, { markId: id })
  const mark = found(marks.find(({ merchantId }) => scope === null || merchantId === scope))
  const show = async (wrong: Wrong) => showWithdraw(page, mark, wrong)
  const decision = decisionOf(page)
  if (!decision) return show(reasonMissing(page, 'withdraw'))
  const { transferId, ordersn } = mark
  const path = transferId === null ? orderPathOf(ordersn!) : transferPathOf(transferId)
  const withdrawn = await withdrawMark(page.context.pool, await rulesOf(page), id as MarkId, decision, scope)
  return afterDecision(page, withdrawn, { path, done: 'withdrawn', form: 'withdraw', show })
}

/** Asks again for what a withdrawal lacked. */
function showWithdraw(page: Page, mark: ListedMark, wrong: Wrong): Answer {
  const words = wordsFor(page)
  return {
    ...{ title: words.withdraw, status: 400, problem: problemOf(wrong) },
    body: (
      <>
        <div class="title">
          <h1>{words.withdraw}</h1>
        </div>
        <Section title={words.marksTitle}>
          <p>
            <MarkKindText page={page} mark={mark} /> <Amount units={mark.amount} />: {mark.reason}
          </p>
          <DecideForm
            {...{ page, wrong, form: 'withdraw', action: href(page, `/money/marks/${mark.id}/withdraw`) }}
            buttons={[['withdraw', words.withdraw]]}
          />
        </Section>
      </>
    ),
  }
}

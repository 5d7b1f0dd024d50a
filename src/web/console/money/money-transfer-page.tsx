/** @jsxRuntime automatic @jsxImportSource preact */
import { formatUsdt } from '../../../base/money.ts'
import { type AssignTarget, assignUnclaimed } from '../../../credits/assign-unclaimed.ts'
import { rejectHeld, releaseHeldByHand, reopenHeld } from '../../../credits/decide-held.ts'
import { rejectQuarantined, reopenQuarantined } from '../../../credits/decide-quarantined.ts'
import { type ListedMark, listMarksOf } from '../../../credits/mark-store.ts'
import { retryQuarantined } from '../../../credits/retry-quarantined.ts'
import { settleOutside } from '../../../credits/settle-outside.ts'
import { Field, ReasonField } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Section, Table } from '../parts/list-parts.tsx'
import { can, href, type Page, scopeOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, CopyableId, Time } from '../parts/value-parts.tsx'
import { MarkForm, noteMark } from './mark-pages.tsx'
import {
  afterDecision,
  DecideForm,
  decisionOf,
  errorOf,
  found,
  idOf,
  MarkTable,
  MoneyState,
  problemOf,
  reasonMissing,
  rulesOf,
  type Wrong,
  wordsFor,
} from './money-parts.tsx'
import { transferPathOf } from './money-paths.ts'
import { latestOrdersOf, type MoneyOrder, type MoneyTransfer, readMoneyTransfer } from './money-store.ts'

export const moneyTransferRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/money/transfers/:id', who: 'see', handle: async page => showTransfer(page) },
  { method: 'POST', path: '/money/transfers/:id/assign', who: 'money', handle: assign },
  { method: 'POST', path: '/money/transfers/:id/settle', who: 'money', handle: settle },
  { method: 'POST', path: '/money/transfers/:id/mark', who: 'money', handle: mark },
  { method: 'POST', path: '/money/transfers/:id/decide', who: 'admin', handle: decide },
]

async function transferOf(page: Page): Promise<MoneyTransfer> {
  return found(await readMoneyTransfer(page.context.reads, idOf(page), scopeOf(page)))
}

/** Marks are made of what was credited, or settled outside. */
const canBeMarked = ({ state }: MoneyTransfer): boolean =>
  state === 'credited' || state === 'deposit' || state === 'settled_outside'

async function showTransfer(page: Page, wrong?: Wrong): Promise<Answer> {
  const { reads } = page.context
  const transfer = await transferOf(page)
  const marks = await listMarksOf(reads, { transferId: transfer.id })
  const isOpen = transfer.state === 'unclaimed' && transfer.localusermark !== '' && can(page, 'money')
  const orders = isOpen ? await latestOrdersOf(reads, transfer) : []
  const words = wordsFor(page)
  const title = words.transferTitle(formatUsdt(transfer.amount))
  return {
    ...{ title, status: wrong ? 400 : 200, problem: problemOf(wrong) },
    notice: words.done[page.query.text('done')],
    body: (
      <>
        <div class="title">
          <h1>{title}</h1>
          <MoneyState page={page} state={transfer.state} />
        </div>
        <Section title={words.facts}>
          <TransferFacts page={page} transfer={transfer} />
        </Section>
        {isOpen && <UnclaimedForms page={page} transfer={transfer} orders={orders} wrong={wrong} />}
        {transfer.state === 'unclaimed' && transfer.localusermark === '' && (
          <p class="problem warning">{words.problems.nobodys}</p>
        )}
        {can(page, 'admin') && <AdminForm page={page} transfer={transfer} wrong={wrong} />}
        <MarkPart page={page} transfer={transfer} marks={marks} wrong={wrong} />
      </>
    ),
  }
}

function TransferFacts(props: { page: Page; transfer: MoneyTransfer }) {
  const { page, transfer } = props
  const words = wordsFor(page)
  const { ordersn, orderid, callbackKey, localusermark: user } = transfer
  const by = (reason: string | null, who: string | null) => reason && words.reasonBy(reason, who ?? '')
  const rows = [
    [words.amount, <Amount units={transfer.amount} />],
    [words.paid, <Time at={transfer.time} />],
    [words.user, user === '' ? words.nobody : <a href={href(page, '/addresses', { user })}>{user}</a>],
    [words.merchant, page.merchant ? null : transfer.appid],
    [words.address, <CopyableId page={page} text={transfer.address} />],
    [words.from, <CopyableId page={page} text={transfer.from} />],
    [words.txid, <CopyableId page={page} text={transfer.txid} />],
    [words.block, `${transfer.height}`],
    // Of a quarantined one only the database knows.
    [words.why, words.whys[transfer.state] ?? transfer.why],
    [words.note, transfer.note],
    [words.order, ordersn && <a href={href(page, `/orders/${encodeURIComponent(ordersn)}`)}>{orderid}</a>],
    [words.callback, callbackKey && <CopyableId page={page} text={callbackKey} />],
    [words.assigned, by(transfer.assignedReason, transfer.assignedBy)],
    [words.rejected, by(transfer.rejectedReason, transfer.rejectedBy)],
  ] as const
  return <Facts rows={rows.filter(([, value]) => value !== null && value !== '')} />
}

function UnclaimedForms(props: {
  page: Page
  transfer: MoneyTransfer
  orders: readonly MoneyOrder[]
  wrong: Wrong | undefined
}) {
  const { page, transfer, orders, wrong } = props
  const words = wordsFor(page)
  const action = href(page, `${transferPathOf(transfer.id)}/assign`)
  const kept = (form: string, name: string) => (wrong?.form === form ? page.form.text(name) : '')
  const target = (form: 'order' | 'user', name: string, label: string, hint: string, submit: string) => (
    <Form page={page} action={action} ask={words.assign.ask}>
      <Field
        {...{ form, name, label, hint, required: true, maxLength: 64, value: kept(form, name) }}
        error={errorOf(wrong, form, name)}
      />
      <ReasonField
        page={page}
        form={form}
        error={errorOf(wrong, form, 'reason')}
        value={kept(form, 'reason')}
      />
      <Submit>{submit}</Submit>
    </Form>
  )
  const { assign: said } = words
  return (
    <>
      <div class="columns">
        <Section title={said.title} id="assign">
          <p class="hint">{said.hint}</p>
          {target('order', 'orderid', said.orderid, said.orderidHint, said.orderSubmit)}
          {target('user', 'user', said.user, said.userHint, said.userSubmit)}
        </Section>
        <Section title={words.settle.title} id="settle">
          <p class="hint">{words.settle.hint}</p>
          <DecideForm
            {...{ page, wrong, form: 'settle', action: href(page, `${transferPathOf(transfer.id)}/settle`) }}
            buttons={[['settle', words.settle.submit]]}
          />
        </Section>
      </div>
      <Section title={said.latest}>
        <Table
          caption={said.latest}
          rows={orders}
          empty={words.empty.orders}
          columns={[
            {
              head: words.order,
              cell: order => <a href={href(page, `/orders/${order.ordersn}`)}>{order.orderid}</a>,
            },
            { head: words.amount, align: 'end', cell: order => <Amount units={order.amount} /> },
            { head: words.received, align: 'end', cell: order => <Amount units={order.received} /> },
            { head: words.created, cell: order => <Time at={order.createdAt} /> },
          ]}
        />
      </Section>
    </>
  )
}

async function assign(page: Page): Promise<Answer> {
  const transfer = await transferOf(page)
  const words = wordsFor(page)
  const [orderid, user] = [page.form.text('orderid'), page.form.text('user')]
  const form = user === '' ? 'order' : 'user'
  const field = form === 'user' ? 'user' : 'orderid'
  if (orderid === '' && user === '')
    return showTransfer(page, { form, field, text: words.problems.chooseTarget })
  const decision = decisionOf(page)
  if (!decision) return showTransfer(page, reasonMissing(page, form))
  const target: AssignTarget = user === '' ? { orderid } : { localusermark: user }
  const { pool } = page.context
  const decided = await assignUnclaimed(
    pool,
    await rulesOf(page),
    transfer.id,
    target,
    decision,
    scopeOf(page),
  )
  if (decided.kind === 'refused')
    return showTransfer(page, { form, field, text: words.problems[decided.code] })
  return afterDecision(page, decided, {
    ...{
      path: transferPathOf(transfer.id),
      done: 'assigned',
      form,
      show: wrong => showTransfer(page, wrong),
    },
  })
}

async function settle(page: Page): Promise<Answer> {
  const transfer = await transferOf(page)
  const decision = decisionOf(page)
  if (!decision) return showTransfer(page, reasonMissing(page, 'settle'))
  const { pool } = page.context
  const decided = await settleOutside(pool, await rulesOf(page), transfer.id, decision, scopeOf(page))
  if (decided.kind === 'refused')
    return showTransfer(page, { form: 'settle', text: wordsFor(page).problems[decided.code] })
  return afterDecision(page, decided, {
    ...{ path: transferPathOf(transfer.id), done: 'settled_outside', form: 'settle' },
    show: wrong => showTransfer(page, wrong),
  })
}

/** What an admin may decide about a transfer in a state. */
function decisionsFor(page: Page, { state }: MoneyTransfer): readonly (readonly [string, string])[] {
  const { decide: said } = wordsFor(page)
  if (state === 'held')
    return [
      ['release', said.release],
      ['reject', said.reject],
    ]
  if (state === 'quarantined')
    return [
      ['retry', said.retry],
      ['reject', said.reject],
    ]
  if (state === 'rejected') return [['reopen', said.reopen]]
  return []
}

function AdminForm(props: { page: Page; transfer: MoneyTransfer; wrong: Wrong | undefined }) {
  const { page, transfer, wrong } = props
  const buttons = decisionsFor(page, transfer)
  if (buttons.length === 0) return null
  const { decide: said } = wordsFor(page)
  return (
    <Section title={said.title} id="decide">
      <p class="hint">{said[transfer.state as 'held' | 'quarantined' | 'rejected']}</p>
      <DecideForm
        {...{ page, wrong, buttons, form: 'decide', ask: said.ask }}
        action={href(page, `${transferPathOf(transfer.id)}/decide`)}
      />
    </Section>
  )
}

async function decide(page: Page): Promise<Answer> {
  const transfer = await transferOf(page)
  const show = (wrong: Wrong) => showTransfer(page, wrong)
  const decision = decisionOf(page)
  if (!decision) return show(reasonMissing(page, 'decide'))
  const { pool } = page.context
  const { id, quarantineId, state } = transfer
  const wanted = page.form.text('decision')
  const { problems, states } = wordsFor(page)
  if (!decisionsFor(page, transfer).some(([one]) => one === wanted))
    return show({ form: 'decide', text: problems.impossible(states[state] ?? state) })
  const rules = await rulesOf(page)
  const after = { path: transferPathOf(transfer.id), done: 'decided', form: 'decide', show }
  if (quarantineId !== null) {
    if (wanted === 'retry') {
      const { became } = await retryQuarantined(pool, rules, quarantineId, decision)
      const done = became === 'quarantined' ? 'retried' : 'decided'
      return { goTo: href(page, transferPathOf(transfer.id), { done }) }
    }
    const carryOut = wanted === 'reopen' ? reopenQuarantined : rejectQuarantined
    return afterDecision(page, await carryOut(pool, rules, quarantineId, decision), after)
  }
  if (wanted === 'release')
    return afterDecision(page, await releaseHeldByHand(pool, rules, id, decision), after)
  if (wanted === 'reopen') return afterDecision(page, await reopenHeld(pool, rules, id, decision), after)
  const rejected = await rejectHeld(pool, rules, id, decision, null)
  // No node is asked, so none confirms it and none is missing.
  if (rejected.kind === 'confirmed' || rejected.kind === 'unanswered')
    return show(reasonMissing(page, 'decide'))
  return afterDecision(page, rejected, after)
}

function MarkPart(props: {
  page: Page
  transfer: MoneyTransfer
  marks: readonly ListedMark[]
  wrong: Wrong | undefined
}) {
  const { page, transfer, marks, wrong } = props
  const words = wordsFor(page)
  const isOpen = canBeMarked(transfer) && can(page, 'money')
  return (
    <>
      {(marks.length > 0 || isOpen) && (
        <Section title={words.marksTitle} id="marks">
          <MarkTable page={page} marks={marks} />
        </Section>
      )}
      {isOpen && (
        <MarkForm page={page} wrong={wrong} action={href(page, `${transferPathOf(transfer.id)}/mark`)} />
      )}
    </>
  )
}

async function mark(page: Page): Promise<Answer> {
  const transfer = await transferOf(page)
  return noteMark(page, { transferId: transfer.id }, transferPathOf(transfer.id), wrong =>
    showTransfer(page, wrong),
  )
}

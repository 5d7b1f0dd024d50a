/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError } from '../../../base/errors.ts'
import { fromLegacyUnits } from '../../../base/money.ts'
import { cleanNote, noteLimits } from '../../../orders/order-note-store.ts'
import { payPath } from '../../../orders/pay-link.ts'
import { giveLinks } from '../../../orders/pay-link-store.ts'
import { qrSvg } from '../../shell/qr-svg.ts'
import { commonWords } from '../parts/common-words.ts'
import { LongField } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Section } from '../parts/list-parts.tsx'
import { OrderStates } from '../parts/order-state.tsx'
import { authorOfPage, can, href, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, CopyableId, Time } from '../parts/value-parts.tsx'
import { noteOrder } from './note-order.ts'
import { orderDetailWords } from './order-detail-words.ts'
import { readTimeline } from './order-timeline.ts'
import { resendOrder } from './resend-order.ts'
import { TimelineList } from './timeline-list.tsx'
import { type ConsoleOrder, findConsoleOrder } from './timeline-store.ts'

export const orderDetailRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/orders/:ordersn', who: 'see', handle: async page => showOrder(page) },
  { method: 'POST', path: '/orders/:ordersn/resend', who: 'resend', handle: resend },
  // A character has up to twelve bytes in a form.
  { method: 'POST', path: '/orders/:ordersn/notes', who: 'note', bodyLimit: 64 * 1024, handle: note },
]

async function orderOf(page: Page): Promise<ConsoleOrder> {
  const found = await findConsoleOrder(page.context.reads, page.params.ordersn!, scopeOf(page))
  if (!found) throw new GatewayError('not_found', 'no such order')
  return found
}

/** The link of its page. An order of an older version gets one now. */
async function payUrlOf(page: Page, { ordersn, payToken }: ConsoleOrder): Promise<string> {
  const token = payToken ?? (await giveLinks(page.context.pool, [ordersn])).get(ordersn)!
  return page.context.payUrl() + payPath(token)
}

async function showOrder(page: Page, noteProblem?: string): Promise<Answer> {
  const order = await orderOf(page)
  const timeline = await readTimeline(page.context.reads, order)
  const payUrl = await payUrlOf(page, order)
  const words = wordsOf(page, orderDetailWords)
  const { copy, copied } = commonWords(page)
  const path = `/orders/${order.ordersn}`
  const hasCallbacks = timeline.events.some(({ kind }) => kind === 'callback')
  const done = page.query.text('done')
  return {
    title: words.title(order.orderid),
    status: noteProblem ? 400 : 200,
    notice: done === 'resent' ? words.resent : done === 'noted' ? words.noted : undefined,
    body: (
      <>
        <div class="title">
          <h1>{words.title(order.orderid)}</h1>
          <span>
            <OrderStates page={page} order={order} late={timeline.isLate} expired={timeline.isExpired} />
          </span>
        </div>
        <Figures page={page} order={order} />
        <div class="columns">
          <Section title={words.order}>
            <OrderFacts page={page} order={order} />
          </Section>
          <Section title={words.payPage}>
            <div class="pay-link">
              <div class="qr" dangerouslySetInnerHTML={{ __html: qrSvg(order.address, words.qrLabel) }} />
              <div>
                <p>
                  <a class="button plain" href={payUrl} rel="noreferrer">
                    {words.payLink}
                  </a>
                </p>
                <p>
                  <span class="copyable">
                    <code>{payUrl}</code>
                    <button type="button" class="copy needs-script" data-copy={payUrl} data-copied={copied}>
                      {copy}
                    </button>
                  </span>
                </p>
                <p class="hint">{words.payHint}</p>
              </div>
            </div>
          </Section>
        </div>
        <Section title={words.timeline} id="timeline">
          {timeline.older.length > 0 && <p class="quiet">{words.older}</p>}
          <TimelineList page={page} order={order} events={timeline.events} network={timeline.chain.network} />
        </Section>
        {hasCallbacks && can(page, 'resend') && (
          <Section title={words.resend}>
            <Form page={page} action={href(page, `${path}/resend`)} ask={words.resendAsk}>
              <p class="hint">{words.resendHint}</p>
              <Submit>{words.resend}</Submit>
            </Form>
          </Section>
        )}
        {can(page, 'note') && (
          <Section title={words.noteTitle} id="note">
            <Form page={page} action={href(page, `${path}/notes`)}>
              <LongField
                {...{
                  label: words.note,
                  name: 'text',
                  hint: words.noteHint,
                  error: noteProblem,
                  required: true,
                }}
                value={page.form.text('text')}
                maxLength={noteLimits.characters}
              />
              <Submit>{words.addNote}</Submit>
            </Form>
          </Section>
        )}
      </>
    ),
  }
}

function Figures(props: { page: Page; order: ConsoleOrder }) {
  const { amount, received, announced } = props.order
  const words = wordsOf(props.page, orderDetailWords)
  const rest =
    received > amount
      ? ([words.over, received - amount] as const)
      : ([words.missing, amount - received] as const)
  const figures = [
    [words.amount, amount],
    [words.received, received],
    rest,
    [words.announced, fromLegacyUnits(announced)],
  ] as const
  return (
    <dl class="figures">
      {figures.map(([name, units]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Amount units={units} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function OrderFacts(props: { page: Page; order: ConsoleOrder }) {
  const { page, order } = props
  const words = wordsOf(page, orderDetailWords)
  return (
    <Facts
      rows={[
        [words.orderid, <CopyableId page={page} text={order.orderid} />],
        [words.ordersn, <CopyableId page={page} text={order.ordersn} />],
        [words.merchant, `${order.merchantName} (${order.appid})`],
        [words.user, `${order.username} (${order.localusermark})`],
        [
          words.address,
          <>
            <CopyableId page={page} text={order.address} />
            {!order.ownAddress && <span class="hint"> {words.addressShared}</span>}
          </>,
        ],
        [words.created, <Time at={order.createdAt} />],
        [words.expires, <Time at={order.expiresAt} />],
        [words.callbackUrl, order.notifyUrl === null ? words.defaultUrl : <code>{order.notifyUrl}</code>],
      ]}
    />
  )
}

async function resend(page: Page): Promise<Answer> {
  const order = await orderOf(page)
  await resendOrder(page.context, order, authorOfPage(page))
  return { goTo: href(page, `/orders/${order.ordersn}`, { done: 'resent' }) }
}

async function note(page: Page): Promise<Answer> {
  const order = await orderOf(page)
  const words = wordsOf(page, orderDetailWords)
  const text = cleanNote(page.form.text('text'))
  if (text === null) return showOrder(page, words.noteWrong)
  const added = await noteOrder(page.context.pool, order, text, authorOfPage(page))
  if (!added) return showOrder(page, words.noteFull)
  return { goTo: href(page, `/orders/${order.ordersn}`, { done: 'noted' }) }
}

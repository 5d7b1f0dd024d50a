/** @jsxRuntime automatic @jsxImportSource preact */
import { authorOfPage, href, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Form, Section, Submit } from '../parts/ui.tsx'
import type { CallbackFilter } from './callback-filter.ts'
import { countedMax, findCallbackIds } from './callback-list-store.ts'
import { callbacksWords } from './callbacks-words.ts'
import { filterTexts, readFilter } from './read-filter.ts'
import { canResend, resendMany } from './resend-many.ts'

export const resendManyRoutes: readonly ConsoleRoute[] = [
  {
    method: 'GET',
    path: '/callbacks/resend',
    who: 'resend',
    handle: async page => showResend(page, readFilter(page)),
  },
  { method: 'POST', path: '/callbacks/resend', who: 'resend', handle: resend },
]

/** Shows how many would be sent again, before they are. */
async function showResend(page: Page, filter: CallbackFilter): Promise<Answer> {
  const words = wordsOf(page, callbacksWords)
  const { ids, more } = canResend(filter)
    ? await findCallbackIds(page.context.reads, filter)
    : { ids: [], more: false }
  const max = countText(countedMax)
  const count = more ? words.moreThan(countText(ids.length)) : countText(ids.length)
  const isTooMany = more && filter.list === 'delivered'
  return {
    title: words.resendTitle,
    body: (
      <>
        <div class="title">
          <h1>{words.resendTitle}</h1>
          <a class="button plain" href={href(page, '/callbacks', filterTexts(filter))}>
            {words.title}
          </a>
        </div>
        <Section title={words.lists[filter.list]}>
          <Asked />
        </Section>
      </>
    ),
  }

  function Asked() {
    if (filter.list === 'delivered' && filter.from === null) return <p>{words.resendNeedsTime}</p>
    if (ids.length === 0) return <p>{words.resendNone}</p>
    return (
      <>
        <p>
          {words.resendCount(count, words.lists[filter.list])} {filter.origin && <code>{filter.origin}</code>}
        </p>
        <p class="quiet">{words.resendText}</p>
        {isTooMany ? (
          <p>{words.resendTooMany(max)}</p>
        ) : (
          <Form
            page={page}
            action={href(page, '/callbacks/resend')}
            ask={words.resendManyAsk(countText(ids.length))}
          >
            {Object.entries(filterTexts(filter)).map(([name, value]) => (
              <input type="hidden" name={name} value={value} key={name} />
            ))}
            {more && <p>{words.resendSome(max)}</p>}
            <Submit>{words.resendNow(countText(ids.length))}</Submit>
          </Form>
        )}
      </>
    )
  }
}

function countText(count: number): string {
  return `${count}`.replace(/\B(?=(\d{3})+$)/g, ' ')
}

async function resend(page: Page): Promise<Answer> {
  const { pool, reads } = page.context
  const filter = readFilter(page, page.form)
  const by = { ...authorOfPage(page), appid: page.merchant?.appid ?? null }
  const { resent } = await resendMany(pool, reads, filter, by)
  // Nothing was left to send, or too much: the page says which.
  if (resent === 0) return showResend(page, filter)
  return { goTo: href(page, '/callbacks', { ...filterTexts(filter), done: 'resent' }) }
}

/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError } from '../../../base/errors.ts'
import { fromLegacyUnits } from '../../../base/money.ts'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Section } from '../parts/list-parts.tsx'
import { authorOfPage, can, href, type Page, scopeOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, CopyableId, Time } from '../parts/value-parts.tsx'
import { readAttempts } from './attempt-list-store.ts'
import { AttemptDetails, CallbackStateTag, NextText, toneOfAttempt } from './attempt-parts.tsx'
import { attemptWords } from './attempt-words.ts'
import { type ConsoleCallback, findCallback } from './callback-list-store.ts'
import { callbacksWords } from './callbacks-words.ts'
import { resendOne } from './resend-many.ts'
import { afterAttempt, nextAttempt } from './why-attempt.ts'

export const callbackRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/callbacks/:key', who: 'see', handle: showCallback },
  { method: 'POST', path: '/callbacks/:key/resend', who: 'resend', handle: resend },
]

/** Attempts on a page: with whole answers, they are what makes it long. */
const attemptsPerPage = 20

async function callbackOf(page: Page): Promise<ConsoleCallback> {
  const found = await findCallback(page.context.reads, page.params.key!, scopeOf(page))
  if (!found) throw new GatewayError('not_found', 'no such callback')
  return found
}

async function showCallback(page: Page): Promise<Answer> {
  const callback = await callbackOf(page)
  const before = timeOf(page.query.text('before'))
  const found = await readAttempts(page.context.reads, [callback.id], attemptsPerPage + 1, before)
  const attempts = found.slice(0, attemptsPerPage)
  const next = nextAttempt(callback, page.now)
  const words = wordsOf(page, callbacksWords)
  const { nextTitle, nothingNext } = wordsOf(page, attemptWords)
  const path = `/callbacks/${callback.key}`
  const done = page.query.text('done')
  const title = words.callback(`${callback.key.slice(0, 9)}…`)
  return {
    title,
    notice: done === 'resent' ? words.resent : undefined,
    problem: done === 'in_flight' ? words.resentNot : undefined,
    body: (
      <>
        <div class="title">
          <h1>{title}</h1>
          <CallbackStateTag page={page} {...callback} />
        </div>
        <div class="columns">
          <Section title={words.facts}>
            <CallbackFacts page={page} callback={callback} />
          </Section>
          <Section title={nextTitle}>
            <p>
              {next ? (
                <NextText page={page} next={next} />
              ) : (
                nothingNext[callback.state === 'exhausted' ? 'exhausted' : 'delivered']
              )}
            </p>
            {can(page, 'resend') && (
              <Form page={page} action={href(page, `${path}/resend`)} ask={words.resendAsk}>
                <Submit>{words.resend}</Submit>
              </Form>
            )}
          </Section>
        </div>
        <Section title={words.history}>
          {attempts.length === 0 ? (
            <p class="quiet">{words.noHistory}</p>
          ) : (
            <ol class="timeline" reversed>
              {attempts.map(attempt => (
                <li
                  class={`tone-${toneOfAttempt(attempt)}`}
                  key={`${attempt.attempt} ${attempt.startedAt.getTime()}`}
                >
                  <p class="quiet">
                    <Time at={attempt.startedAt} />
                  </p>
                  <AttemptDetails
                    page={page}
                    attempt={attempt}
                    after={afterAttempt(attempt, callback.deliveredAt)}
                    wholeAt={null}
                  />
                </li>
              ))}
            </ol>
          )}
          <p class="pager">
            {before && (
              <a class="button plain" href={href(page, path)}>
                {words.newestAttempts}
              </a>
            )}
            {found.length > attemptsPerPage && (
              <a
                class="button plain"
                rel="next"
                href={href(page, path, { before: attempts.at(-1)!.startedAt.toISOString() })}
              >
                {words.olderAttempts}
              </a>
            )}
          </p>
        </Section>
      </>
    ),
  }
}

function CallbackFacts(props: { page: Page; callback: ConsoleCallback }) {
  const { page, callback } = props
  const words = wordsOf(page, callbacksWords)
  return (
    <Facts
      rows={[
        [words.key, <CopyableId page={page} text={callback.key} />],
        [
          words.order,
          callback.ordersn === null ? (
            words.deposit
          ) : (
            <a href={href(page, `/orders/${callback.ordersn}`)}>{callback.orderid}</a>
          ),
        ],
        [words.merchant, callback.appid],
        [
          words.announces,
          <>
            <Amount units={fromLegacyUnits(callback.bodyAmount)} /> USDT
          </>,
        ],
        [words.origin, callback.origin],
        [words.createdAt, <Time at={callback.createdAt} />],
        [words.attempts, `${callback.attempts}`],
        ...(callback.deliveredAt ? [[words.delivered, <Time at={callback.deliveredAt} />] as const] : []),
        ...(callback.exhaustedAt ? [[words.exhausted, <Time at={callback.exhaustedAt} />] as const] : []),
      ]}
    />
  )
}

function timeOf(text: string): Date | null {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) ? new Date(text) : null
  return at && !Number.isNaN(at.getTime()) ? at : null
}

async function resend(page: Page): Promise<Answer> {
  const callback = await callbackOf(page)
  page.context.countResent(callback.merchantId, 1)
  const { resent } = await resendOne(page.context.pool, callback, authorOfPage(page))
  return { goTo: href(page, `/callbacks/${callback.key}`, { done: resent === 1 ? 'resent' : 'in_flight' }) }
}

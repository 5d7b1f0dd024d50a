/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError } from '../../../base/errors.ts'
import type { ShownRequest } from '../../../callbacks/sending/shown-request.ts'
import { sendTestCallback, type TestedCallback } from '../../../callbacks/sending/test-callback.ts'
import { recordAudit } from '../../../db/audit-store.ts'
import { inTransaction } from '../../../db/pool.ts'
import type { Merchant } from '../../../merchants/merchant.ts'
import { Field } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Section } from '../parts/list-parts.tsx'
import { authorOfPage, href, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { durationText, State } from '../parts/value-parts.tsx'
import { callbacksWords } from './callbacks-words.ts'

export const testRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/callbacks/test', who: 'resend', handle: async page => showTest(page, {}) },
  { method: 'POST', path: '/callbacks/test', who: 'resend', handle: sendTest },
]

/** What a test came to: a result, or why there is none. */
interface TestEnd {
  tested?: TestedCallback
  problem?: string
  status?: number
}

/** As it is in memory: a change is there within half a second. */
function merchantInMemory({ merchant, context }: Page): Merchant | undefined {
  return merchant ? context.merchants.byId(merchant.id) : undefined
}

function showTest(page: Page, { tested, problem, status }: TestEnd): Answer {
  const words = wordsOf(page, callbacksWords)
  const merchant = merchantInMemory(page)
  return {
    ...{ title: words.testTitle, status: status ?? 200 },
    body: (
      <>
        <div class="title">
          <h1>{words.testTitle}</h1>
          <a class="button plain" href={href(page, '/callbacks')}>
            {words.title}
          </a>
        </div>
        <Section title={words.sendTest}>
          <p class="quiet">{words.testText}</p>
          {merchant ? (
            <Form page={page} action={href(page, '/callbacks/test')}>
              <Field
                {...{ label: words.testUrl, name: 'url', type: 'url', maxLength: 512, error: problem }}
                hint={words.testUrlHint(merchant.callbackUrl)}
                value={page.form.text('url')}
              />
              <Submit>{words.test}</Submit>
            </Form>
          ) : (
            <p>{words.testChoose}</p>
          )}
        </Section>
        {tested && <Result page={page} tested={tested} />}
      </>
    ),
  }
}

function Result(props: { page: Page; tested: TestedCallback }) {
  const { page, tested } = props
  const { delivered, status, durationMs, answer, error, request } = tested
  const words = wordsOf(page, callbacksWords)
  return (
    <>
      <Section title={words.testResult}>
        <p>
          <State tone={delivered ? 'green' : 'red'}>{delivered ? words.testDelivered : words.testNot}</State>{' '}
          <span class="quiet">
            {status !== null && `${status} · `}
            {durationText(durationMs)}
          </span>
        </p>
        {/* As the API says it, in English. */}
        {error !== null && <p lang="en">{error}</p>}
        <h3>{words.answer}</h3>
        {answer ? <pre>{answer}</pre> : <p class="quiet">{words.noAnswer}</p>}
      </Section>
      {request ? (
        <Request page={page} request={request} />
      ) : (
        <Section title={words.request}>
          <p>{words.nothingSent}</p>
        </Section>
      )}
    </>
  )
}

function Request(props: { page: Page; request: ShownRequest }) {
  const { page, request } = props
  const { method, url, headers, body, signed, webhookText } = request
  const words = wordsOf(page, callbacksWords)
  return (
    <Section title={words.request}>
      <p>
        <code>
          {method} {url}
        </code>
      </p>
      <h3>{words.headers}</h3>
      <Facts rows={headers.map(([name, value]) => [name, <code>{value}</code>] as const)} />
      <h3>{words.body}</h3>
      <pre>{body}</pre>
      <h3>{words.signedText(signed.scheme, `${signed.keyId}`)}</h3>
      <pre>{signed.text}</pre>
      <p class="hint">{words.signedHint[signed.scheme]}</p>
      <p>
        {words.sign}: <code>{signed.sign}</code>
      </p>
      {webhookText !== null && (
        <>
          <h3>{words.webhookText}</h3>
          <pre>{webhookText}</pre>
          <p class="hint">{words.webhookHint}</p>
        </>
      )}
    </Section>
  )
}

async function sendTest(page: Page): Promise<Answer> {
  // A URL that was set a moment ago counts at once.
  await page.context.merchants.lookForChanges()
  const merchant = merchantInMemory(page)
  if (!merchant) return showTest(page, { status: 400 })
  try {
    const url = page.form.text('url') || null
    const tested = await sendTestCallback(page.context.tests, merchant, url)
    await recordTest(page, merchant, tested)
    return showTest(page, { tested })
  } catch (error) {
    // What a person can mend, or too many tests at once.
    const isTold = error instanceof GatewayError && error.code !== 'unavailable'
    if (!isTold) throw error
    return showTest(page, { problem: error.message, status: error.code === 'rate_limited' ? 429 : 400 })
  }
}

async function recordTest(page: Page, { id, appid }: Merchant, tested: TestedCallback): Promise<void> {
  const { delivered, status, request } = tested
  const origin = request && new URL(request.url).origin
  await inTransaction(page.context.pool, tx =>
    recordAudit(tx, {
      ...{ ...authorOfPage(page), action: 'callback.tested', subject: `merchant ${appid}`, merchantId: id },
      detail: { origin, delivered, status },
    }),
  )
}

/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError, UsageError } from '../../../base/errors.ts'
import { cancelUrlChange } from '../../../merchants/cancel-url-change.ts'
import { readSettings } from '../../../merchants/read-settings.ts'
import { setMerchant } from '../../../merchants/set-merchant.ts'
import { readSettingTexts } from '../../../merchants/setting-text.ts'
import { Field } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Section } from '../parts/list-parts.tsx'
import { href, merchantOf, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ShownPage } from '../parts/route.ts'
import { durationText } from '../parts/value-parts.tsx'
import { changedBy, errorsOf, type FormErrors, noErrors, urlCheckOf } from './settings-form.tsx'
import { showSettings, WaitingUrl } from './settings-page.tsx'
import { settingsWords } from './settings-words.ts'

export async function showUrlForm(page: Page, errors: FormErrors = noErrors): Promise<ShownPage> {
  const all = wordsOf(page, settingsWords)
  const words = all.url
  const { settings, waiting } = await readSettings(page.context.reads, merchantOf(page).id)
  const delayMs = page.context.config.consoleChangeDelayMs
  const isAgain = errors !== noErrors
  return {
    ...{ title: words.changeTitle, status: isAgain ? 400 : 200, problem: errors.problem },
    body: (
      <>
        <div class="title">
          <h1>{words.changeTitle}</h1>
          <a href={href(page, '/settings')}>{all.back}</a>
        </div>
        {waiting && <WaitingUrl page={page} waiting={waiting} />}
        <Section title={words.title}>
          <Form page={page} action={href(page, '/settings/url')}>
            <Facts rows={[[words.current, settings.callbackUrl ?? words.none]]} />
            <Field
              {...{ label: words.field, name: 'callbackUrl', hint: words.hint, maxLength: 512 }}
              // Not of the type `url`: what is wrong is said by what decides.
              value={isAgain ? page.form.text('callbackUrl') : (settings.callbackUrl ?? '')}
              error={errors.fields.callbackUrl}
            />
            <p>{delayMs > 0 ? words.delay(durationText(delayMs)) : words.noDelay}</p>
            <p class="quiet">
              {words.moves} {waiting && words.replaces}
            </p>
            <Submit>{all.change}</Submit>
          </Form>
        </Section>
      </>
    ),
  }
}

export async function saveUrl(page: Page): Promise<Answer> {
  const { pool } = page.context
  const { id, appid } = merchantOf(page)
  const before = await readSettings(pool, id)
  try {
    const { callbackUrl } = readSettingTexts({ callbackUrl: page.form.text('callbackUrl') })
    if ((callbackUrl ?? null) === before.settings.callbackUrl)
      return settingsWith(page, before.waiting ? 'url_same_waits' : 'url_same')
    // An admin's change waits too. At once it is in effect by `gateway merchant set`, on the operator's own machine.
    const urlDelayMs = page.context.config.consoleChangeDelayMs
    const options = { ...(await changedBy(page)), checkUrl: urlCheckOf(page), urlDelayMs }
    const waiting = await setMerchant(pool, appid, { callbackUrl: callbackUrl ?? null }, options)
    return settingsWith(page, waiting ? 'url' : 'url_now')
  } catch (error) {
    return showUrlForm(page, errorsOf(page, error))
  }
}

export async function cancelUrl(page: Page): Promise<Answer> {
  const change = page.form.text('change')
  if (!/^\d{1,18}$/.test(change)) throw new GatewayError('not_found', 'no change has this id')
  const by = await changedBy(page)
  try {
    await cancelUrlChange(page.context.pool, merchantOf(page).appid, BigInt(change), by)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { ...(await showSettings(page)), status: 409, problem: wordsOf(page, settingsWords).url.tooLate }
  }
  return settingsWith(page, 'url_cancelled')
}

function settingsWith(page: Page, done: string): Answer {
  return { goTo: href(page, '/settings', { done }) }
}

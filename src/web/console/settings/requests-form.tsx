/** @jsxRuntime automatic @jsxImportSource preact */
import { readSettings } from '../../../merchants/read-settings.ts'
import { setMerchant } from '../../../merchants/set-merchant.ts'
import { readSettingTexts } from '../../../merchants/setting-text.ts'
import { commonWords } from '../parts/common-words.ts'
import { href, merchantOf, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ShownPage } from '../parts/route.ts'
import { Form, LongField, Section, Submit, Tick } from '../parts/ui.tsx'
import { changedBy, errorsOf, type FormErrors, noErrors, urlCheckOf } from './settings-form.ts'
import { settingsWords } from './settings-words.ts'

export async function showRequestForm(page: Page, errors: FormErrors = noErrors): Promise<ShownPage> {
  const all = wordsOf(page, settingsWords)
  const words = all.requests
  const isAgain = errors !== noErrors
  const { settings } = await readSettings(page.context.reads, merchantOf(page).id)
  const isTicked = (name: string, before: boolean) => (isAgain ? page.form.has(name) : before)
  return {
    ...{ title: words.changeTitle, status: isAgain ? 400 : 200, problem: errors.problem },
    body: (
      <>
        <div class="title">
          <h1>{words.changeTitle}</h1>
          <a href={href(page, '/settings')}>{all.back}</a>
        </div>
        <Section title={words.title}>
          <Form page={page} action={href(page, '/settings/requests')}>
            <Tick
              {...{ label: words.nonceTick, name: 'requireNonce', hint: words.nonceHint }}
              checked={isTicked('requireNonce', settings.requireNonce)}
            />
            <LongField
              {...{ label: words.clients, name: 'allowedClients', hint: words.clientsHint, rows: 5 }}
              value={isAgain ? page.form.text('allowedClients') : settings.allowedClients.join('\n')}
              error={errors.fields.allowedClients}
              maxLength={5_000}
            />
            <Tick
              {...{ label: words.returnUrlTick, name: 'returnUrl' }}
              checked={isTicked('returnUrl', settings.returnUrl)}
            />
            <Tick
              {...{ label: words.always200Tick, name: 'always200', hint: words.always200Hint }}
              checked={isTicked('always200', settings.always200)}
            />
            <Submit>{commonWords(page).save}</Submit>
          </Form>
        </Section>
      </>
    ),
  }
}

export async function saveRequests(page: Page): Promise<Answer> {
  const { form } = page
  const yesNo = (name: string) => (form.has(name) ? 'yes' : 'no')
  try {
    const settings = readSettingTexts({
      requireNonce: yesNo('requireNonce'),
      allowedClients: form.text('allowedClients'),
      returnUrl: yesNo('returnUrl'),
      always200: yesNo('always200'),
    })
    const options = { ...(await changedBy(page)), checkUrl: urlCheckOf(page) }
    await setMerchant(page.context.pool, merchantOf(page).appid, settings, options)
  } catch (error) {
    return showRequestForm(page, errorsOf(page, error))
  }
  return { goTo: href(page, '/settings', { done: 'requests' }) }
}

/** @jsxRuntime automatic @jsxImportSource preact */
import { readSettings } from '../../../merchants/read-settings.ts'
import { LongField, Tick } from '../parts/field-parts.tsx'
import { merchantOf, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ShownPage } from '../parts/route.ts'
import { type FormErrors, noErrors, saveForm, setFromTexts, settingsForm } from './settings-form.tsx'
import { settingsWords } from './settings-words.ts'

const path = '/settings/requests'

export async function showRequestForm(page: Page, errors: FormErrors = noErrors): Promise<ShownPage> {
  const words = wordsOf(page, settingsWords).requests
  const isAgain = errors !== noErrors
  const { settings } = await readSettings(page.context.reads, merchantOf(page).id)
  const isTicked = (name: string, before: boolean) => (isAgain ? page.form.has(name) : before)
  const fields = (
    <>
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
    </>
  )
  return settingsForm(page, { words, path, errors, fields })
}

export async function saveRequests(page: Page): Promise<Answer> {
  const { form } = page
  const yesNo = (name: string) => (form.has(name) ? 'yes' : 'no')
  const save = () =>
    setFromTexts(page, {
      requireNonce: yesNo('requireNonce'),
      allowedClients: form.text('allowedClients'),
      returnUrl: yesNo('returnUrl'),
      always200: yesNo('always200'),
    })
  return saveForm(page, 'requests', save, showRequestForm)
}

/** @jsxRuntime automatic @jsxImportSource preact */
import { fieldsBesideSix, moreCallbackFields } from '../../../merchants/chosen-fields.ts'
import { eventNames } from '../../../merchants/event-names.ts'
import { readSettings } from '../../../merchants/read-settings.ts'
import { setMerchant } from '../../../merchants/set-merchant.ts'
import { readSettingTexts } from '../../../merchants/setting-text.ts'
import { commonWords } from '../parts/common-words.ts'
import { href, merchantOf, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ShownPage } from '../parts/route.ts'
import { Choice, Field, Form, Section, Submit, Tick } from '../parts/ui.tsx'
import { changedBy, errorsOf, type FormErrors, noErrors, urlCheckOf } from './settings-form.ts'
import { settingsWords } from './settings-words.ts'

export async function showCallbackForm(page: Page, errors: FormErrors = noErrors): Promise<ShownPage> {
  const all = wordsOf(page, settingsWords)
  const words = all.callbacks
  const isAgain = errors !== noErrors
  const { settings } = await readSettings(page.context.reads, merchantOf(page).id)
  const beside: readonly string[] = fieldsBesideSix(settings.callbackFields)
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
          <Form page={page} action={href(page, '/settings/callbacks')}>
            <Choice
              {...{ label: words.format, name: 'callbackFormat', error: errors.fields.callbackFormat }}
              value={isAgain ? page.form.text('callbackFormat') : settings.callbackFormat}
              options={Object.entries(words.formats)}
            />
            <fieldset>
              <legend>{words.fields}</legend>
              <p class="hint">{words.fieldsHint}</p>
              {moreCallbackFields.map(field => (
                <Tick
                  label={field}
                  name={`field ${field}`}
                  checked={isTicked(`field ${field}`, beside.includes(field))}
                  key={field}
                />
              ))}
            </fieldset>
            <Field
              {...{ label: words.acknowledgement, name: 'acknowledgement', hint: words.acknowledgementHint }}
              value={isAgain ? page.form.text('acknowledgement') : (settings.acknowledgement ?? '')}
              error={errors.fields.acknowledgement}
              maxLength={100}
            />
            <fieldset>
              <legend>{words.events}</legend>
              <p class="hint">{words.eventsHint}</p>
              {eventNames.map(event => (
                <Tick
                  label={`${event}: ${words.eventNames[event]}`}
                  name={`event ${event}`}
                  checked={isTicked(`event ${event}`, settings.events.includes(event))}
                  key={event}
                />
              ))}
            </fieldset>
            <fieldset>
              <legend>{words.deposits}</legend>
              <Tick
                {...{ label: words.depositsTick, name: 'deposits', hint: words.depositsHint }}
                checked={isTicked('deposits', settings.deposits)}
              />
            </fieldset>
            <Submit>{commonWords(page).save}</Submit>
          </Form>
        </Section>
      </>
    ),
  }
}

export async function saveCallbacks(page: Page): Promise<Answer> {
  const { form } = page
  const fields = moreCallbackFields.filter(field => form.has(`field ${field}`))
  try {
    const settings = readSettingTexts({
      callbackFormat: form.text('callbackFormat'),
      callbackFields: fields.length === 0 ? 'six' : fields.join(),
      acknowledgement: form.text('acknowledgement'),
      events: eventNames.filter(event => form.has(`event ${event}`)).join(),
      deposits: form.has('deposits') ? 'on' : 'off',
    })
    const options = { ...(await changedBy(page)), checkUrl: urlCheckOf(page) }
    await setMerchant(page.context.pool, merchantOf(page).appid, settings, options)
  } catch (error) {
    return showCallbackForm(page, errorsOf(page, error))
  }
  return { goTo: href(page, '/settings', { done: 'callbacks' }) }
}

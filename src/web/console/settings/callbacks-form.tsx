/** @jsxRuntime automatic @jsxImportSource preact */
import { fieldsBesideSix, moreCallbackFields } from '../../../merchants/chosen-fields.ts'
import { eventNames } from '../../../merchants/event-names.ts'
import { readSettings } from '../../../merchants/read-settings.ts'
import { Choice, Field, Tick } from '../parts/field-parts.tsx'
import { merchantOf, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ShownPage } from '../parts/route.ts'
import { type FormErrors, noErrors, saveForm, setFromTexts, settingsForm } from './settings-form.tsx'
import { settingsWords } from './settings-words.ts'

const path = '/settings/callbacks'

export async function showCallbackForm(page: Page, errors: FormErrors = noErrors): Promise<ShownPage> {
  const words = wordsOf(page, settingsWords).callbacks
  const isAgain = errors !== noErrors
  const { settings } = await readSettings(page.context.reads, merchantOf(page).id)
  const beside: readonly string[] = fieldsBesideSix(settings.callbackFields)
  const isTicked = (name: string, before: boolean) => (isAgain ? page.form.has(name) : before)
  const fields = (
    <>
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
    </>
  )
  return settingsForm(page, { words, path, errors, fields })
}

export async function saveCallbacks(page: Page): Promise<Answer> {
  const { form } = page
  const chosen = moreCallbackFields.filter(field => form.has(`field ${field}`))
  const save = () =>
    setFromTexts(page, {
      callbackFormat: form.text('callbackFormat'),
      callbackFields: chosen.length === 0 ? 'six' : chosen.join(),
      acknowledgement: form.text('acknowledgement'),
      events: eventNames.filter(event => form.has(`event ${event}`)).join(),
      deposits: form.has('deposits') ? 'on' : 'off',
    })
  return saveForm(page, 'callbacks', save, showCallbackForm)
}

/** @jsxRuntime automatic @jsxImportSource preact */
import {
  logoBytesMax,
  type PageSettings,
  qrFormats,
  readLogo,
  setPage,
} from '../../../merchants/page-settings.ts'
import { readSettings } from '../../../merchants/read-settings.ts'
import { readPageTexts } from '../../../merchants/setting-text.ts'
import { Choice, Field, FileField, LongField, Tick } from '../parts/field-parts.tsx'
import { fileOf } from '../parts/multipart.ts'
import { href, merchantOf, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ShownPage } from '../parts/route.ts'
import { changedBy, type FormErrors, noErrors, saveForm, settingsForm } from './settings-form.tsx'
import { settingsWords } from './settings-words.ts'

/** A file that is a little too large is still read, so that the form can say so. */
export const logoFormMax = 4 * logoBytesMax

const textFields = ['displayName', 'accent', 'supportUrl', 'qr', 'frameAncestors'] as const

export async function showLooksForm(page: Page, errors: FormErrors = noErrors): Promise<ShownPage> {
  const words = wordsOf(page, settingsWords).looks
  const isAgain = errors !== noErrors
  const { page: looks } = await readSettings(page.context.reads, merchantOf(page).id)
  const before: Record<(typeof textFields)[number], string> = {
    displayName: looks.displayName,
    accent: looks.accent ?? '',
    supportUrl: looks.supportUrl ?? '',
    qr: looks.qr,
    frameAncestors: looks.frameAncestors.join('\n'),
  }
  const field = (name: (typeof textFields)[number]) => ({
    ...{ name, value: isAgain ? page.form.text(name) : before[name], error: errors.fields[name] },
  })
  const fields = (
    <>
      <Field
        {...field('displayName')}
        label={words.displayName}
        hint={words.displayNameHint}
        maxLength={64}
      />
      <Field {...field('accent')} label={words.accent} hint={words.accentHint} maxLength={7} />
      <Field {...field('supportUrl')} label={words.support} hint={words.supportHint} maxLength={512} />
      <Choice {...field('qr')} label={words.qr} options={qrFormats.map(qr => [qr, words.qrs[qr]])} />
      <LongField
        {...field('frameAncestors')}
        label={words.frames}
        hint={words.framesHint}
        maxLength={2_000}
      />
      <FileField
        {...{ label: words.logo, name: 'logo', hint: words.logoHint, error: errors.fields.logo }}
        accept="image/png,image/jpeg,image/webp"
      />
      {looks.logo && (
        <>
          <img
            class="logo"
            src={href(page, `/settings/logo/${looks.logo.type.replace('image/', 'logo.')}`)}
            alt={words.logoAlt}
          />
          <Tick label={words.removeLogo} name="removeLogo" checked={false} />
        </>
      )}
    </>
  )
  return settingsForm(page, { words, path: '/settings/looks', errors, files: true, fields })
}

export async function saveLooks(page: Page): Promise<Answer> {
  return saveForm(page, 'looks', () => save(page), showLooksForm)
}

async function save(page: Page): Promise<void> {
  const { form } = page
  const texts = Object.fromEntries(textFields.map(name => [name, form.text(name)]))
  const file = fileOf(page.request.body, 'logo')
  const logo: Partial<PageSettings> = file
    ? { logo: readLogo(file) }
    : form.has('removeLogo')
      ? { logo: null }
      : {}
  const looks = { ...readPageTexts(texts), ...logo }
  await setPage(page.context.pool, merchantOf(page).appid, looks, await changedBy(page))
}

/** A colour and its name. */
export function Swatch({ colour }: { colour: string }) {
  return (
    <>
      <svg class="swatch" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <rect width="16" height="16" rx="3" fill={colour} />
      </svg>{' '}
      <code>{colour}</code>
    </>
  )
}

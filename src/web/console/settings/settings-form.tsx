/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { UsageError } from '../../../base/errors.ts'
import { checkCallbackUrl } from '../../../egress/egress-guard.ts'
import { depositsNeedUrl } from '../../../merchants/callback-url.ts'
import type { ChangedBy } from '../../../merchants/change-merchant.ts'
import { setMerchant } from '../../../merchants/set-merchant.ts'
import { readSettingTexts } from '../../../merchants/setting-text.ts'
import { ownersOf } from '../../../people/user-store.ts'
import { commonWords } from '../parts/common-words.ts'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Section } from '../parts/list-parts.tsx'
import { authorOfPage, href, merchantOf, type Page, wordsOf } from '../parts/page.ts'
import type { Answer, ShownPage } from '../parts/route.ts'
import { settingsWords } from './settings-words.ts'

/** Who changes a merchant here, and that its owners are told. */
export async function changedBy(page: Page): Promise<ChangedBy> {
  return { ...authorOfPage(page), tell: await ownersOf(page.context.reads, merchantOf(page).id) }
}

/** Checks URLs for callbacks as the command line does. */
export function urlCheckOf(page: Page): (url: string) => string | null {
  return url => checkCallbackUrl(url, page.context.config.callbackAllowedNetworks)
}

/** What a form is shown again with. */
export interface FormErrors {
  /** By the name of the field. */
  fields: Readonly<Record<string, string>>
  /** What concerns no field of it. */
  problem: string | undefined
}

export const noErrors: FormErrors = { fields: {}, problem: undefined }

/** How a problem of the command line begins, and which field it is about. */
const beginnings: readonly (readonly [start: string, field: string])[] = [
  ['callback URL', 'callbackUrl'],
  ['callback format', 'callbackFormat'],
  ['callback fields', 'callbackFields'],
  ['acknowledgement', 'acknowledgement'],
  ['allowed clients', 'allowedClients'],
  ['events', 'events'],
  ['display name', 'displayName'],
  ['accent', 'accent'],
  ['support URL', 'supportUrl'],
  ['frame ancestors', 'frameAncestors'],
  ['logo', 'logo'],
]

/** Sorts what is wrong to the fields of a form. @throws any error that is none of a person's. */
export function errorsOf(page: Page, error: unknown): FormErrors {
  if (!(error instanceof UsageError)) throw error
  const words = wordsOf(page, settingsWords)
  const fields: Record<string, string> = {}
  const others: string[] = []
  for (const problem of error.problems) {
    const field = beginnings.find(([start]) => problem.startsWith(start))?.[1]
    if (field === undefined) others.push(problem === depositsNeedUrl ? words.depositsNeedUrl : problem)
    // The first one of a field will do.
    else fields[field] ??= words.wrong[field] === undefined ? problem : `${words.wrong[field]}（${problem}）`
  }
  return { fields, problem: others.length > 0 ? others.join(' ') : undefined }
}

/** A page with one form that changes settings. @param words.changeTitle of the page; `title`: of what is changed. */
export function settingsForm(
  page: Page,
  form: {
    words: { changeTitle: string; title: string }
    path: string
    errors: FormErrors
    files?: true
    fields: ComponentChildren
  },
): ShownPage {
  const { words, path, errors, files, fields } = form
  const { changeTitle: title } = words
  return {
    ...{ title, status: errors === noErrors ? 200 : 400, problem: errors.problem },
    body: (
      <>
        <div class="title">
          <h1>{title}</h1>
          <a href={href(page, '/settings')}>{wordsOf(page, settingsWords).back}</a>
        </div>
        <Section title={words.title}>
          <Form page={page} action={href(page, path)} {...(files && { files })}>
            {fields}
            <Submit>{commonWords(page).save}</Submit>
          </Form>
        </Section>
      </>
    ),
  }
}

/** Saves what a form says and leads back to the settings, or shows the form again with what is wrong. @param done of the notice. */
export async function saveForm(
  page: Page,
  done: string,
  save: () => Promise<unknown>,
  show: (page: Page, errors: FormErrors) => Promise<ShownPage>,
): Promise<Answer> {
  try {
    await save()
  } catch (error) {
    return show(page, errorsOf(page, error))
  }
  return { goTo: href(page, '/settings', { done }) }
}

/** Changes settings that are given as the command line takes them. @throws UsageError for those that cannot be. */
export async function setFromTexts(page: Page, texts: Parameters<typeof readSettingTexts>[0]): Promise<void> {
  const options = { ...(await changedBy(page)), checkUrl: urlCheckOf(page) }
  await setMerchant(page.context.pool, merchantOf(page).appid, readSettingTexts(texts), options)
}

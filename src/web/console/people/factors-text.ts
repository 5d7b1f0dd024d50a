import type { User } from '../../../people/user-store.ts'
import { type Page, wordsOf } from '../parts/page.ts'
import { peopleWords } from './people-words.ts'

/** Says which second factors somebody has. */
export function factorsText(page: Page, { hasTotp, passkeys }: Pick<User, 'hasTotp' | 'passkeys'>): string {
  const { factor } = wordsOf(page, peopleWords)
  const has = [hasTotp && factor.codes, passkeys > 0 && `${factor.passkeys} (${passkeys})`]
  return has.filter(Boolean).join(', ') || factor.none
}

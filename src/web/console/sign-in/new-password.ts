import { passwordMax, passwordMin } from '../../../people/password.ts'
import { type Page, wordsOf } from '../parts/page.ts'
import { signInWords } from './sign-in-words.ts'

/** Checks a form's new password, which it has twice: as `password` and as `again`. @returns what to say beside which field. */
export function newPasswordErrors(page: Page): Partial<Record<'password' | 'again', string>> {
  const words = wordsOf(page, signInWords)
  const [password = ''] = page.form.all('password')
  return {
    ...((password.length < passwordMin || password.length > passwordMax) && {
      password: words.passwordShort,
    }),
    ...(password !== page.form.all('again')[0] && { again: words.passwordsDiffer }),
  }
}

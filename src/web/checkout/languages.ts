import type { Locale } from '../shell/locale.ts'
import type { Words } from './words.ts'
import { en } from './words-en.ts'
import { zh } from './words-zh.ts'

const languages: Record<Locale, Words> = { en, zh }

export function wordsOf(locale: Locale): Words {
  return languages[locale]
}

/** A shorter one is found in any text. */
const hiddenMin = 8

/** So many bytes of an answer are searched beyond those that are kept: a secret that the cut divides is hidden, too. */
export const searchedBeyond = 2 * 1024

const hidden = '[hidden]'

/**
 * Hides signatures, keys and secrets in what an endpoint answered: some return what they were sent, or their whole settings. They
 * are found in either case and between other text, as they are, percent-encoded, escaped as JSON does it, or as HTML.
 */
export function redactAnswer(text: string, secrets: readonly string[]): string {
  if (text.length < hiddenMin) return text
  const lower = text.toLowerCase()
  let shown = text
  for (const secret of secrets) {
    // No encoding changes letters and digits. So this tells for nearly every answer that there is nothing to hide.
    if (secret.length >= hiddenMin && lower.includes(longestWord(secret)))
      shown = shown.replace(patternOf(secret), hidden)
  }
  return shown
}

function longestWord(secret: string): string {
  const words = secret.toLowerCase().split(/[^\da-z]+/)
  return words.reduce((longest, word) => (word.length > longest.length ? word : longest), '')
}

function patternOf(secret: string): RegExp {
  return new RegExp([...secret].map(encodedForms).join(''), 'gi')
}

/** One character of a secret, in each way that it may be written. */
function encodedForms(character: string): string {
  if (/[\da-z]/i.test(character)) return character
  const code = character.codePointAt(0)!
  const percent = [...Buffer.from(character)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')
  const hex = code.toString(16)
  const forms = [
    `\\\\?${escaped(character)}`,
    percent,
    `\\\\u${hex.padStart(4, '0')}`,
    `&#(?:0*${code}|x0*${hex});`,
    ...(named[character] ? [`&${named[character]};`] : []),
    // A form's space.
    ...(character === ' ' ? ['\\+'] : []),
  ]
  return `(?:${forms.join('|')})`
}

const named: Record<string, string> = {
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
  '"': 'quot',
  "'": 'apos',
  '=': 'equals',
  '+': 'plus',
  '/': 'sol',
}

function escaped(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')
}

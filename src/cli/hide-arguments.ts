import { shortenUrls } from '../base/hide-secrets.ts'

/** A merchant's key has 32 characters; all other secrets are longer. */
const secretMin = 32

/**
 * Hides in a message of the command line each argument that may be a secret: a key given where an appid, an address or an
 * option should stand. TRON addresses, names of options and of files stay readable.
 * @param args as given to the process.
 */
export function hideArguments(message: string, args: readonly string[]): string {
  const values = args.flatMap(arg => [arg, arg.slice(arg.indexOf('=') + 1), arg.trim()])
  const hidden = [...new Set(values.filter(mayBeSecret))].sort((a, b) => b.length - a.length)
  return hidden.reduce(
    (text, value) => text.replaceAll(value, `[${value.length} characters]`),
    shortenUrls(message),
  )
}

function mayBeSecret(value: string): boolean {
  if (value.length < secretMin) return false
  const isPublic = /^T[1-9A-HJ-NP-Za-km-z]{33}$/.test(value) || /^--?[a-z]+(-[a-z0-9]+)*$/.test(value)
  // Keys have no dots. A URL has, and a message has been rid of what may be secret in it.
  const isName = /^[\w./:-]+$/.test(value) && value.includes('.')
  return !isPublic && !isName
}

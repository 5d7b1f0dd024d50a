/** Checks a URL for callbacks. @returns null when it is allowed, else what is wrong with it ("must be https"). */
export type UrlCheck = (url: string) => string | null

/** Lists what is wrong with a merchant's default callback URL. */
export function callbackUrlProblems(url: string, check: UrlCheck): string[] {
  if (url.length > 512) return [`callback URL: at most 512 characters, got ${url.length}`]
  // A URL parser drops tabs and line ends, but the text is kept as it is.
  if (/\p{Cc}/u.test(url)) return ['callback URL must not contain control characters']
  const problem = check(url)
  return problem === null ? [] : [`callback URL ${problem}`]
}

export const depositsNeedUrl =
  'deposits have no order that could name a URL, so they need the default one: set a callback URL, or turn deposits off'

/** Says whether a callback may ever go to a URL: null when it may, else what is wrong ("must be https"). */
export type UrlCheck = (url: string) => string | null

/** What is wrong with a merchant's default callback URL; none when nothing is. */
export function callbackUrlProblems(url: string, check: UrlCheck): string[] {
  if (url.length > 512) return [`callback URL: at most 512 characters, got ${url.length}`]
  // A URL parser drops tabs and line ends; the text we keep must not have them.
  if (/\p{Cc}/u.test(url)) return ['callback URL must not contain control characters']
  const problem = check(url)
  return problem === null ? [] : [`callback URL ${problem}`]
}

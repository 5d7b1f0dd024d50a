/**
 * Reads a link that came from outside. JSX escapes an attribute's text but passes `javascript:` on.
 * @returns the URL as the parser writes it, http and https only; undefined for anything else, which omits the attribute.
 */
export function safeUrl(text: string | null | undefined): string | undefined {
  if (!text || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined
}

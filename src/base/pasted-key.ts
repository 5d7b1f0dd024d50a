/**
 * Removes what a key picks up when it is copied: blanks and line breaks around it and within it, invisible characters, and
 * one pair of quotes around it. None of them can be part of a key.
 */
export function pastedKey(text: string): string {
  const bare = text.replace(/[\s\u200b-\u200d\u2060\ufeff]+/g, '')
  return /^(["']).*\1$/.test(bare) ? bare.slice(1, -1) : bare
}

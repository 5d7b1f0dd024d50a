/**
 * Reads from a migration's comment whether programs of before it may run beside it: `Old code can run beside it`, `code from
 * before cannot run beside it`, and the like.
 * @returns null when it does not say.
 */
export function olderMayRun(sql: string): boolean | null {
  const comment = /^(?:--[^\n]*\n)+/.exec(sql)?.[0] ?? ''
  const text = comment.replace(/^-- ?/gm, '').replace(/\s+/g, ' ')
  const said =
    /(no older code runs|(?:code|code before it|code from before) (?:can|cannot) run|code (?:from before )?runs) beside/i.exec(
      text,
    )
  if (!said) return null
  return !/no older|cannot/i.test(said[1]!)
}

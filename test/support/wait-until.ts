import assert from 'node:assert/strict'

/**
 * Waits for a condition instead of for a time.
 * @param everyMs how often it is looked at; seldom where many wait at once and each look costs a query.
 * @returns the first truthy value.
 * @throws AssertionError naming what was waited for, after the deadline.
 */
export async function waitUntil<T>(
  what: string,
  condition: () => Promise<T> | T,
  deadlineMs = 60_000,
  everyMs = 20,
): Promise<NonNullable<T>> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const value = await condition()
    if (value) return value
    assert(Date.now() < end, `waited ${deadlineMs} ms for: ${what}`)
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}

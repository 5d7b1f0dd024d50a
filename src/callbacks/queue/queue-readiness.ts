/** How long a store that says neither is waited for; it is tried again then. */
const answerWithinMs = 100

/**
 * Whether a queue or worker of BullMQ's is of no use any more: on Postgres it remembers for ever when its first connection
 * could not be had, and fails from then on, whatever has become of the database.
 */
export async function isUnusable(opened: { waitUntilReady(): Promise<unknown> }): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const unknown = new Promise<false>(resolve => {
    timer = setTimeout(resolve, answerWithinMs, false)
  })
  const refused = opened.waitUntilReady().then(
    () => false,
    () => true,
  )
  const unusable = await Promise.race([refused, unknown])
  clearTimeout(timer)
  return unusable
}

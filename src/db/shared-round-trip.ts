import { GatewayError } from '../base/errors.ts'
import { isPassingDatabaseError } from './outage.ts'

export interface SharedRoundTripOptions<Item, Result> {
  /** Does the work for all of the items in as few statements as it takes; one result for each, in their order. */
  run(items: readonly Item[]): Promise<Result[]>
  /** Items that go out together at the most. */
  itemsMax: number
  /** Items that may wait for their turn; one more is refused, so that a database that stands still piles nothing up. */
  waitingMax: number
  /** Round trips under way at once. */
  inFlightMax: number
}

/**
 * Lets callers share statements: what is asked for while a round trip is under way goes out together in the next one.
 * A round trip that fails for a lasting reason is run again item by item, so that one bad item fails alone.
 * @returns a function that takes one item and resolves with its own result.
 * @throws GatewayError unavailable, from that function, when too many are waiting.
 */
export function shareRoundTrips<Item, Result>(
  options: SharedRoundTripOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const waiting: Waiting<Item, Result>[] = []
  let inFlight = 0
  let scheduled = false

  const schedule = () => {
    if (scheduled || waiting.length === 0 || inFlight >= options.inFlightMax) return
    scheduled = true
    // At the end of this turn of the event loop: whatever else has arrived in it comes along.
    setImmediate(() => {
      scheduled = false
      const together = waiting.splice(0, options.itemsMax)
      inFlight++
      runTogether(options.run, together).finally(() => {
        inFlight--
        schedule()
      })
      schedule()
    })
  }

  return item =>
    new Promise((resolve, reject) => {
      if (waiting.length >= options.waitingMax) {
        reject(new GatewayError('unavailable', 'too busy at the moment: try again', { retryAfterS: 1 }))
        return
      }
      waiting.push({ item, resolve, reject })
      schedule()
    })
}

interface Waiting<Item, Result> {
  item: Item
  resolve(result: Result): void
  reject(error: unknown): void
}

/** Settles every one of them; never rejects itself. */
async function runTogether<Item, Result>(
  run: SharedRoundTripOptions<Item, Result>['run'],
  together: readonly Waiting<Item, Result>[],
): Promise<void> {
  try {
    const results = await run(together.map(({ item }) => item))
    together.forEach(({ resolve }, i) => {
      resolve(results[i]!)
    })
  } catch (error) {
    if (together.length === 1 || isPassingDatabaseError(error)) {
      for (const { reject } of together) reject(error)
      return
    }
    for (const one of together) await runTogether(run, [one])
  }
}

import { DatabaseBusyError, isPassingDatabaseError } from './outage.ts'

export interface SharedRoundTripOptions<Item, Result> {
  /** Does the work for all items in as few statements as possible. @returns one result for each, in their order. */
  run(items: readonly Item[]): Promise<Result[]>
  /** The most items in one round trip. */
  itemsMax: number
  /** The most items that may wait. Further ones are refused: backpressure, while the database does not answer. */
  waitingMax: number
  /** The most round trips at once. */
  inFlightMax: number
}

/**
 * Batches callers' items: everything that arrives while a round trip is under way goes into the next one.
 * A round trip that fails for a lasting reason is repeated item by item, so that one bad item fails alone.
 * @returns a function that takes one item and resolves with its result.
 * @throws DatabaseBusyError, from that function, when too many items are waiting.
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
    // At the end of this turn of the event loop, so that all items of the turn go together.
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
        reject(new DatabaseBusyError())
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

/** Settles every item's promise. Never rejects. */
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

import type { MerchantId } from '../../base/ids.ts'
import { mayTakeOneMore } from './merchant-share.ts'

// A slot is busy for as long as an attempt takes, up to 10 s. So what another merchant needs must be free before it needs it:
// no merchant may fill all slots, whatever the number of its endpoints and however they answer.

/** null: the merchant of a lease that a courier of an earlier version enqueued. All of these share as one merchant. */
export type SlotHolder = MerchantId | null

/** The slots of one courier: how many callbacks it sends at once, shared by merchants. */
export interface Slots {
  readonly count: number
  readonly free: number
  /** How many wait for a slot: of merchants that hold their share, or because none is free. */
  readonly waiting: number
  /** How many slots a merchant holds. */
  heldBy(holder: SlotHolder): number
  /** How many of a merchant wait for a slot. */
  waitingOf(holder: SlotHolder): number
  /**
   * Works in a slot, when the merchant may take one. Those of a merchant take turns in the order they came, and merchants
   * take turns too. Each slot is free again within an attempt's deadline, so the wait ends.
   */
  use(holder: SlotHolder, work: () => Promise<void>): Promise<void>
  /** Lets everything work at once from now on. For a courier that is stopping, whose work is to release leases. */
  open(): void
}

/**
 * How many begin in one turn of the event loop. Hundreds of a merchant's attempts may end, and hundreds begin, at one moment:
 * without a bound, another merchant's callback would wait at each of its round trips until all of those are on their way.
 */
const beginsPerTurn = 8

export function createSlots(count: number): Slots {
  const held = new Map<SlotHolder, number>()
  /** In the order of the merchants' turns. None is empty. */
  const waiting = new Map<SlotHolder, (() => void)[]>()
  let used = 0
  let waitingCount = 0
  let opened = false
  /** How many have begun in this turn of the event loop. */
  let begunInTurn = 0

  const holds = (holder: SlotHolder) => held.get(holder) ?? 0
  const mayTake = (holder: SlotHolder) =>
    opened || (begunInTurn < beginsPerTurn && mayTakeOneMore(holds(holder), count - used))
  const take = (holder: SlotHolder) => {
    if (begunInTurn++ === 0) setImmediate(nextTurn)
    used++
    held.set(holder, holds(holder) + 1)
  }
  const release = (holder: SlotHolder) => {
    used--
    const left = holds(holder) - 1
    if (left > 0) held.set(holder, left)
    else held.delete(holder)
  }
  const nextTurn = () => {
    begunInTurn = 0
    admit()
  }
  /** Admits those that wait and may take a slot now. */
  const admit = () => {
    for (let admitted = true; admitted && waitingCount > 0 && (opened || begunInTurn < beginsPerTurn); ) {
      admitted = false
      for (const [holder, begins] of waiting) {
        if (!mayTake(holder)) continue
        take(holder)
        waitingCount--
        begins.shift()!()
        // To the end: the next turn is another merchant's.
        waiting.delete(holder)
        if (begins.length > 0) waiting.set(holder, begins)
        admitted = true
        break
      }
    }
  }
  return {
    count,
    get free() {
      return Math.max(0, count - used)
    },
    get waiting() {
      return waitingCount
    },
    heldBy: holds,
    waitingOf: holder => waiting.get(holder)?.length ?? 0,
    use: async (holder, work) => {
      if (waiting.has(holder) || !mayTake(holder)) {
        waitingCount++
        await new Promise<void>(begin => {
          const begins = waiting.get(holder)
          if (begins) begins.push(begin)
          else waiting.set(holder, [begin])
        })
      } else take(holder)
      try {
        await work()
      } finally {
        release(holder)
        admit()
      }
    },
    open: () => {
      opened = true
      admit()
    },
  }
}

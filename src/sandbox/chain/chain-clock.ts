import type { Clock } from '../../base/clock.ts'

/** The time blocks and transactions are dated by: the clock's, or later after a skip. */
export class ChainClock {
  readonly #clock: Clock
  readonly #slotMs: number
  #notBeforeMs = 0
  #stampMs = 0

  /** @param slotMs what a missed slot takes. */
  constructor(clock: Clock, slotMs: number) {
    this.#clock = clock
    this.#slotMs = slotMs
  }

  nowMs(): number {
    return Math.max(this.#clock.now().getTime(), this.#notBeforeMs)
  }

  /** The time of a block on a parent, `missed` slots after it could have been. */
  slotMs(parentMs: number, missed: number): number {
    return Math.max(this.nowMs(), parentMs + 1) + missed * this.#slotMs
  }

  /** A time no other transaction has. */
  stampMs(): number {
    this.#stampMs = Math.max(this.nowMs(), this.#stampMs + 1)
    return this.#stampMs
  }

  /** Nothing is dated earlier than this much from now, or from the newest block if that is later. */
  skip(headMs: number, ms: number): number {
    this.#notBeforeMs = Math.max(this.nowMs(), headMs) + ms
    return this.#notBeforeMs
  }
}

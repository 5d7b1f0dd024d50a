import type { Clock } from '../../base/clock.ts'

/** The clock that dates blocks and transactions: the injected clock, or later after a skip. */
export class ChainClock {
  readonly #clock: Clock
  readonly #slotMs: number
  #notBeforeMs = 0
  #stampMs = 0

  /** @param slotMs the length of a slot. */
  constructor(clock: Clock, slotMs: number) {
    this.#clock = clock
    this.#slotMs = slotMs
  }

  nowMs(): number {
    return Math.max(this.#clock.now().getTime(), this.#notBeforeMs)
  }

  /** Computes the time of a block on a parent, after `missed` slots without a block. */
  slotMs(parentMs: number, missed: number): number {
    return Math.max(this.nowMs(), parentMs + 1) + missed * this.#slotMs
  }

  /** Returns a time that no other transaction has. */
  stampMs(): number {
    this.#stampMs = Math.max(this.nowMs(), this.#stampMs + 1)
    return this.#stampMs
  }

  /** Sets the clock forward, from now or from the newest block if that is later. @returns the new time. */
  skip(headMs: number, ms: number): number {
    this.#notBeforeMs = Math.max(this.nowMs(), headMs) + ms
    return this.#notBeforeMs
  }
}

/** Repeatable random numbers: the same seed gives the same sequence. */
export interface SeededRandom {
  /** At least 0, below 1. */
  next(): number
  /** A whole number, both ends included. */
  whole(min: number, max: number): number
  chance(probability: number): boolean
  /** @throws Error when there is nothing to pick from. */
  pick<T>(items: readonly T[]): T
  shuffled<T>(items: readonly T[]): T[]
}

/** Makes a mulberry32 generator: 32 bits of state, fast, and good enough for test scenarios. @param seed a whole number. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    whole,
    chance: probability => next() < probability,
    pick: items => {
      if (items.length === 0) throw new Error('there is nothing to pick from')
      return items[whole(0, items.length - 1)]!
    },
    shuffled: items => {
      const rest = [...items]
      for (let i = rest.length - 1; i > 0; i--) {
        const j = whole(0, i)
        const swapped = rest[i]!
        rest[i] = rest[j]!
        rest[j] = swapped
      }
      return rest
    },
  }
}

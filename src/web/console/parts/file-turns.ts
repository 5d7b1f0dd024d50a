import { GatewayError } from '../../../base/errors.ts'
import type { UserId } from '../../../base/ids.ts'

// A file is read page by page for as long as its reader takes it. The pool of reads is there for pages too, so only some of its
// connections read files at once, and a person takes some files at once.

/** Files that a person takes at once, from each process. */
const perPerson = 2
/** Files that read at one moment. */
const readsMax = 3

export interface FileTurns {
  /**
   * Counts a file that a person takes.
   * @returns what ends it, to be called once or more. @throws GatewayError rate_limited when they take too many.
   */
  begin(person: UserId): () => void
  /** Reads lines in turn with other files. */
  inTurn<T>(lines: AsyncIterable<T>): AsyncGenerator<T>
}

export function openFileTurns(): FileTurns {
  const taken = new Map<UserId, number>()
  const waiting: (() => void)[] = []
  let reading = 0

  async function turn<T>(read: () => Promise<T>): Promise<T> {
    if (reading >= readsMax) await new Promise<void>(resolve => waiting.push(resolve))
    else reading++
    try {
      return await read()
    } finally {
      // Whoever waits takes over the place.
      const next = waiting.shift()
      if (next) next()
      else reading--
    }
  }
  return {
    begin(person) {
      const count = taken.get(person) ?? 0
      if (count >= perPerson) throw new GatewayError('rate_limited', 'too many files at once')
      taken.set(person, count + 1)
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        const left = taken.get(person)! - 1
        if (left > 0) taken.set(person, left)
        else taken.delete(person)
      }
    },
    async *inTurn(lines) {
      const source = lines[Symbol.asyncIterator]()
      try {
        for (;;) {
          const line = await turn(() => source.next())
          if (line.done) return
          yield line.value
        }
      } finally {
        await source.return?.()
      }
    },
  }
}

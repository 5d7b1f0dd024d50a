/** Counts the bytes of a node's answers that are in memory. */
export interface AnswerShare {
  /** Takes room for more bytes of an answer. @returns false when there is none: the answer must be given up. */
  take(bytes: number): boolean
  give(bytes: number): void
}

/** The memory for answers of all nodes together: their bodies, compressed and decompressed, until they are parsed. */
export interface AnswerBudget {
  /** Opens the share of one node. */
  share(): AnswerShare
}

const totalDefaultBytes = 128 * 1024 * 1024
/** Always there for a node, whatever the others do: sixteen times a busy block, as many as are asked for at a time. */
const ownDefaultBytes = 16 * 1024 * 1024

/**
 * Opens a budget. A node may take as much as all nodes leave free, and never less than its own minimum. So one that streams
 * without end takes half of the total, a second one a quarter, and each other node is still served. Together they hold at most
 * the total and each one's minimum.
 *
 * An answer that finds no room fails, instead of waiting: answers that are read in part would wait for each other.
 */
export function createAnswerBudget({
  totalBytes = totalDefaultBytes,
  ownBytes = ownDefaultBytes,
}: {
  totalBytes?: number
  ownBytes?: number
} = {}): AnswerBudget {
  let taken = 0
  return {
    share() {
      let own = 0
      return {
        take(bytes) {
          if (own + bytes > Math.max(ownBytes, totalBytes - taken - bytes)) return false
          own += bytes
          taken += bytes
          return true
        },
        give(bytes) {
          own -= bytes
          taken -= bytes
        },
      }
    },
  }
}

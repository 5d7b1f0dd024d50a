import type { AlarmMessage } from './alarm-message.ts'
import { repeatHours, settleS, spacingS, staleS } from './alarm-store.ts'
import type { Sent, Unsent } from './send-message.ts'

/** It has to be away for this long. */
const awayMs = 60_000
const hourMs = 3_600_000

interface Outage {
  since: number
  /** Null: it lasts. */
  endedAt: number | null
  isTold: boolean
  messages: number
  failures: number
  retryAt: number
}

/**
 * Tells of a database that cannot be reached, of which no table can tell, by what this process remembers: when it is away, while
 * it stays away, and when it is back. What could not be sent is sent when the receiver works again, also after the end.
 * @param isTeller whether this process tells. Whoever does when the database goes is the teller until the end.
 * @param now in ms.
 * @returns what is called whenever the database was asked, with whether it was away.
 */
export function watchDatabase({
  isTeller,
  now,
  retryMs,
  post,
}: {
  isTeller: () => boolean
  now: () => number
  retryMs: (failures: number, sent: Unsent) => number
  post: (said: Pick<AlarmMessage, 'event' | 'raisedAt' | 'clearedAt'>, id: string) => Promise<Sent>
}): (isAway: boolean) => Promise<void> {
  let outage: Outage | null = null
  let toldAt = Number.NEGATIVE_INFINITY
  return async isAway => {
    const at = now()
    if (isAway && !outage && isTeller()) outage = beginning(at)
    if (outage) outage = follow(outage, isAway, at)
    if (!outage || at < dueAt(outage, toldAt)) return
    const { since, endedAt, isTold, messages } = outage
    const event = endedAt !== null ? 'cleared' : isTold ? 'repeated' : 'raised'
    const clearedAt = endedAt === null ? null : new Date(endedAt)
    const sent = await post(
      { event, raisedAt: new Date(since), clearedAt },
      `alarm_database_${since}_${messages}_${event}`,
    )
    if (!sent.ok) {
      outage.retryAt = now() + retryMs(outage.failures++, sent)
      return
    }
    toldAt = now()
    outage =
      event === 'cleared'
        ? null
        : { ...outage, isTold: true, messages: messages + 1, failures: 0, retryAt: 0 }
  }
}

const beginning = (since: number): Outage => ({
  ...{ since, endedAt: null, isTold: false, messages: 0, failures: 0, retryAt: 0 },
})

/** @returns null for one that nobody is told of: it was short, or it ended long ago. */
function follow(outage: Outage, isAway: boolean, at: number): Outage | null {
  // It is away again before its end was told: the same.
  if (isAway) return outage.endedAt === null ? outage : { ...outage, endedAt: null }
  if (outage.endedAt !== null) return at - outage.endedAt < staleS * 1_000 ? outage : null
  return outage.isTold || at - outage.since >= awayMs ? { ...outage, endedAt: at } : null
}

function dueAt({ since, endedAt, isTold, retryAt }: Outage, toldAt: number): number {
  if (!isTold) return Math.max(since + awayMs, toldAt + spacingS * 1_000, retryAt)
  if (endedAt !== null) return Math.max(endedAt + settleS[0] * 1_000, retryAt)
  const repeats = repeatHours.map(hours => since + hours * hourMs).filter(point => point > toldAt)
  return Math.max(repeats[0] ?? Number.POSITIVE_INFINITY, retryAt)
}

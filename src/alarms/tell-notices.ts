import type { Logger } from '../base/log.ts'
import { Counter, type Registry } from '../base/metrics.ts'
import { repeat } from '../base/repeat.ts'
import type { Queryable } from '../db/pool.ts'
import {
  type DueNotice,
  type NoticeChannel,
  noticeFailed,
  noticeSent,
  takeNotices,
} from '../notices/notice-store.ts'
import type { Sent } from './send-message.ts'
import { retryMs } from './tell-alarms.ts'

const minuteMs = 60_000

/**
 * How often messages that are due are looked for, and how many are taken at once. One is sent after the other. Alarms go where notices
 * go, and chats take some twenty messages a minute: whoever changes much must not use them up.
 */
const pacing = {
  webhook: { everyMs: 6_000, takenMax: 1 },
  mail: { everyMs: 2_000, takenMax: 5 },
} as const
/** Longer than it takes to send all that was taken. */
const leaseMs = 3 * minuteMs

/** After a message that could not be sent. The last one is used until it is given up. */
const retriesMs = [5_000, 30_000, 2 * minuteMs, 10 * minuteMs, 60 * minuteMs]

export type NoticeCounter = Counter<'channel' | 'outcome'>

/**
 * Sends the notices of one channel until the signal aborts. Any number of processes may: each message is taken by one. A process that
 * dies after sending one and before recording that has it sent again by another.
 */
export async function tellNotices(options: {
  db: Queryable
  channel: NoticeChannel
  send: (notice: DueNotice) => Promise<Sent>
  counter: NoticeCounter
  log: Logger
  signal: AbortSignal
  /** For tests. */
  everyMs?: number
}): Promise<void> {
  const { db, channel, send, counter, log, signal } = options
  for (const outcome of ['sent', 'failed', 'given_up']) counter.inc({ channel, outcome }, 0)
  const tell = async (notice: DueNotice) => {
    const sent = await send(notice)
    const facts = { noticeId: notice.id, notice: notice.kind, channel }
    if (sent.ok) {
      await noticeSent(db, notice.id)
      counter.inc({ channel, outcome: 'sent' })
      log.info(facts, 'notice.sent')
      return
    }
    const retryInMs = retryMs(retriesMs, notice.failures, sent)
    const isGivenUp = await noticeFailed(db, notice.id, retryInMs)
    counter.inc({ channel, outcome: isGivenUp ? 'given_up' : 'failed' })
    if (isGivenUp) log.error({ ...facts, reason: sent.reason }, 'notice.given_up')
    else log.warn({ ...facts, reason: sent.reason, retryInMs }, 'notice.not_sent')
  }
  const work = async () => {
    for (const notice of await takeNotices(db, channel, leaseMs, pacing[channel].takenMax)) {
      if (signal.aborted) return
      await tell(notice)
    }
  }
  const chore = channel === 'mail' ? 'mail' : 'notices'
  await repeat({ chore, everyMs: options.everyMs ?? pacing[channel].everyMs, work, log, signal })
}

export function countNotices(registry: Registry): NoticeCounter {
  return new Counter({
    name: 'gateway_notices_total',
    help: 'Messages about what people changed, by channel (webhook, mail) and outcome (sent, failed, given_up).',
    labelNames: ['channel', 'outcome'],
    registers: [registry],
  })
}

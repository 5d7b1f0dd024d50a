import type { Logger } from '../base/log.ts'
import type { LegacyUnits } from '../base/money.ts'
import { repeat } from '../base/repeat.ts'
import type { AttemptOutcome } from '../callbacks/outbox/callback.ts'
import { type Pool, rows } from '../db/pool.ts'

/** An attempt to deliver a callback that has ended. */
export interface EndedAttempt {
  /** Tells it from every other. */
  id: string
  /** Null for a deposit. */
  orderid: string | null
  amount: LegacyUnits
  /** The callback's. */
  key: string
  url: string
  outcome: AttemptOutcome
  status: number | null
  /** What the endpoint answered, at most 2 KiB; or why there was no answer. */
  answer: string | null
  /** Seconds until the next attempt; null when none is owed. */
  retryIn: number | null
}

const everyMs = 300
const windowSeconds = 60
const rowsMax = 1_000

/**
 * Shows each attempt once, soon after it has ended, those made before the start too. It reads the history: the demo does not
 * know what a developer's own endpoint answers.
 */
export function watchAttempts(
  pool: Pool,
  log: Logger,
  show: (attempt: EndedAttempt) => void,
): { stop(): Promise<void> } {
  const ending = new AbortController()
  let shown = new Set<string>()
  const work = async () => {
    const recent = await recentAttempts(pool)
    for (const attempt of recent) if (!shown.has(attempt.id)) show(attempt)
    shown = new Set(recent.map(({ id }) => id))
  }
  const done = repeat({ chore: 'show attempts', everyMs, work, log, signal: ending.signal })
  return {
    stop: async () => {
      ending.abort()
      await done
    },
  }
}

/** Reads the attempts of the last minute. One is written when it ends, and takes ten seconds at most. */
function recentAttempts(pool: Pool): Promise<EndedAttempt[]> {
  return rows(pool, {
    text: `
      select concat_ws(' ', a.callback_id, a.attempt, a.started_at) as id, o.orderid, c.body_amount as amount, c.key, a.url,
             a.outcome, a.status, a.answer, ceil(extract(epoch from b.due_at - now()))::integer as "retryIn"
        from callback_attempt a
        join callback c on c.id = a.callback_id
        left join recharge_order o on o.id = c.order_id
        left join callback_outbox b on b.callback_id = a.callback_id
       where a.started_at > now() - $1 * interval '1 second'
       order by a.started_at, a.callback_id
       limit $2`,
    values: [windowSeconds, rowsMax],
  })
}

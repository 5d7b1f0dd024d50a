import type { Logger } from '../base/log.ts'
import { Counter, type Registry } from '../base/metrics.ts'
import { repeat } from '../base/repeat.ts'
import { webhookHeaders } from '../callbacks/sending/webhook-signature.ts'
import type { Queryable } from '../db/pool.ts'
import type { AlarmName } from './alarm.ts'
import { type AlarmMessage, type MessageShape, messageBody } from './alarm-message.ts'
import { type DueMessage, messageFailed, messageSent, takeMessages } from './alarm-store.ts'
import type { Sender, Sent } from './send-message.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** How often messages that are due are looked for, and how many are taken at once. One is sent after the other. */
const everyMs = 5_000
const takenMax = 5
/** Longer than it takes to send all that was taken. */
const leaseMs = 2 * minuteMs

/** While an alarm stays it is repeated after an hour, six more, and then daily for a week. */
const repeatsMs = [hourMs, 6 * hourMs, ...Array<number>(7).fill(24 * hourMs)]
/** After a message that could not be sent. The last one is used again and again, until the alarm has ended for a day. */
const retriesMs = [5_000, 30_000, 2 * minuteMs, 10 * minuteMs]
const retryAfterMaxMs = hourMs

/** The database has to be away for this long before this process says so by itself, and it says so this many times at most. */
const databaseAwayMs = minuteMs
const databaseTries = 10

export interface AlarmTarget {
  url: string
  shape: MessageShape
  /** `whsec_` + base64: messages are signed as the Standard Webhooks specification has it. */
  secret: string | undefined
  /** Telegram's chat. */
  chat: string | undefined
  /** Which gateway the messages name. */
  gateway: string
}

/**
 * Sends messages of alarms until the signal aborts. Any number of processes may: each message is taken by one. It never holds
 * up other work: nothing waits for it, and no transaction is open while it sends.
 * @param isTeller whether this process is the one that tells of a database that cannot be reached, of which no table can tell.
 */
export async function tellAlarms(options: {
  db: Queryable
  target: AlarmTarget
  sender: Sender
  isTeller: () => boolean
  log: Logger
  registry: Registry
  signal: AbortSignal
  /** For tests. */
  timing?: { everyMs?: number; databaseAwayMs?: number }
}): Promise<void> {
  const { db, target, sender, log, signal, timing } = options
  const count = countMessages(options.registry)
  const post = async (message: AlarmMessage, id: string): Promise<Sent> => {
    const sent = await postMessage(sender, target, message, id)
    count(sent.ok)
    const facts = { alarm: message.alarm, event: message.event }
    if (sent.ok) log.info(facts, 'alarm.told')
    else log.warn({ ...facts, reason: sent.reason }, 'alarm.not_told')
    return sent
  }
  const database = watchDatabase({
    isTeller: options.isTeller,
    awayMs: timing?.databaseAwayMs ?? databaseAwayMs,
    post: (event, since) =>
      post(
        {
          event,
          alarm: 'database',
          detail: {},
          raisedAt: since,
          clearedAt: event === 'cleared' ? new Date() : null,
          gateway: target.gateway,
        },
        `alarm_database_${since.getTime()}_${event}`,
      ),
  })
  const work = async () => {
    const due = await takeMessages(db, leaseMs, takenMax).catch(async error => {
      await database.away()
      throw error
    })
    await database.reached()
    for (const message of due) {
      if (signal.aborted) return
      await tellOne(db, message, target.gateway, post)
    }
  }
  await repeat({ chore: 'alarms', everyMs: timing?.everyMs ?? everyMs, work, log, signal })
}

type Post = (message: AlarmMessage, id: string) => Promise<Sent>

async function tellOne(db: Queryable, due: DueMessage, gateway: string, post: Post): Promise<void> {
  const { id, name, detail, raisedAt, clearedAt, messages, failures } = due
  const event = clearedAt !== null ? 'cleared' : due.told === 'raised' ? 'repeated' : 'raised'
  const sent = await post(
    { event, alarm: name as AlarmName, detail, raisedAt, clearedAt, gateway },
    `alarm_${id}_${messages}_${event}`,
  )
  if (sent.ok) await messageSent(db, due, repeatsMs[messages] ?? null)
  else {
    const retryMs = retriesMs[Math.min(failures, retriesMs.length - 1)]!
    const afterMs = Math.min((sent.retryAfterS ?? 0) * 1_000, retryAfterMaxMs)
    await messageFailed(db, id, Math.max(retryMs, afterMs))
  }
}

/** @param id the same for every attempt, so that a receiver may deduplicate. */
function postMessage(sender: Sender, target: AlarmTarget, message: AlarmMessage, id: string): Promise<Sent> {
  const body = messageBody(message, target.shape, target.chat)
  const secrets = target.secret === undefined ? [] : [target.secret]
  return sender.post(target.url, body, webhookHeaders(secrets, id, Math.floor(Date.now() / 1_000), body))
}

/** Tells of the database by what this process remembers. */
function watchDatabase({
  isTeller,
  awayMs,
  post,
}: {
  isTeller: () => boolean
  awayMs: number
  post: (event: 'raised' | 'cleared', since: Date) => Promise<Sent>
}) {
  let since: Date | null = null
  let isTold = false
  let tries = 0
  return {
    away: async () => {
      // Whoever leads when it goes is the teller, though it leads no more.
      if (since === null) {
        since = isTeller() ? new Date() : null
        return
      }
      if (isTold || tries >= databaseTries || Date.now() - since.getTime() < awayMs) return
      tries++
      isTold = (await post('raised', since)).ok
    },
    reached: async () => {
      if (since !== null && isTold) await post('cleared', since)
      since = null
      isTold = false
      tries = 0
    },
  }
}

function countMessages(registry: Registry): (ok: boolean) => void {
  const counter = new Counter({
    name: 'gateway_alarm_messages_total',
    help: 'Messages to ALARM_WEBHOOK_URL, by outcome (sent, failed).',
    labelNames: ['outcome'],
    registers: [registry],
  })
  for (const outcome of ['sent', 'failed']) counter.inc({ outcome }, 0)
  return ok => counter.inc({ outcome: ok ? 'sent' : 'failed' })
}

import type { Logger } from '../base/log.ts'
import { Counter, type Registry } from '../base/metrics.ts'
import { repeat } from '../base/repeat.ts'
import { webhookHeaders } from '../callbacks/sending/webhook-signature.ts'
import type { Queryable } from '../db/pool.ts'
import type { AlarmName } from './alarm.ts'
import { type AlarmMessage, type MessageShape, messageBody } from './alarm-message.ts'
import { type DueMessage, messageFailed, messageSent, takeMessages } from './alarm-store.ts'
import type { Sender, Sent, Unsent } from './send-message.ts'
import { watchDatabase } from './watch-database.ts'

const minuteMs = 60_000

/** How often messages that are due are looked for, and how many are taken at once. One is sent after the other. */
const everyMs = 5_000
const takenMax = 5
/** Longer than it takes to send all that was taken. */
const leaseMs = 2 * minuteMs

/** After a message that could not be sent. The last one is used again and again, until the alarm has ended for a day. */
const retriesMs = [5_000, 30_000, 2 * minuteMs, 10 * minuteMs]
const retryAfterMaxMs = 60 * minuteMs

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
  timing?: { everyMs?: number; now?: () => number }
}): Promise<void> {
  const { db, target, sender, log, signal, timing } = options
  const count = countMessages(options.registry)
  const post = async (message: AlarmMessage, id: string): Promise<Sent> => {
    const sent = await postSigned(sender, target, messageBody(message, target.shape, target.chat), id)
    count(sent.ok)
    const facts = { alarm: message.alarm, event: message.event }
    if (sent.ok) log.info(facts, 'alarm.told')
    else log.warn({ ...facts, reason: sent.reason }, 'alarm.not_told')
    return sent
  }
  const database = watchDatabase({
    isTeller: options.isTeller,
    now: timing?.now ?? Date.now,
    retryMs: (failures, sent) => retryMs(retriesMs, failures, sent),
    post: (said, id) => post({ ...said, alarm: 'database', detail: {}, gateway: target.gateway }, id),
  })
  const work = async () => {
    const due = await takeMessages(db, leaseMs, takenMax).catch(async error => {
      await database(true)
      throw error
    })
    await database(false)
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
  if (sent.ok) await messageSent(db, due)
  else await messageFailed(db, id, retryMs(retriesMs, failures, sent))
}

/**
 * @param retries the pauses after the first failures; the last one is used again and again.
 * @param failures of this message before this one.
 * @returns when it is sent again.
 */
export function retryMs(retries: readonly number[], failures: number, { retryAfterS }: Unsent): number {
  const usualMs = retries[Math.min(failures, retries.length - 1)]!
  return Math.max(usualMs, Math.min((retryAfterS ?? 0) * 1_000, retryAfterMaxMs))
}

/**
 * Posts a body to ALARM_WEBHOOK_URL, signed where there is a secret.
 * @param id the same for every attempt, so that a receiver may deduplicate.
 */
export function postSigned(sender: Sender, target: AlarmTarget, body: string, id: string): Promise<Sent> {
  const secrets = target.secret === undefined ? [] : [target.secret]
  return sender.post(target.url, body, webhookHeaders(secrets, id, Math.floor(Date.now() / 1_000), body))
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

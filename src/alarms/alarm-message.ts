import { type AlarmName, meanings } from './alarm.ts'

/** How a message is written: `plain` is our own JSON; Slack's is understood by Mattermost, Discord (/slack) and others too. */
export const messageShapes = ['plain', 'slack', 'telegram'] as const
export type MessageShape = (typeof messageShapes)[number]

/** What a message says. `repeated`: the alarm is still raised, or about more than before. */
export interface AlarmMessage {
  event: 'raised' | 'repeated' | 'cleared'
  alarm: AlarmName
  detail: Record<string, unknown>
  /** Null: it is not known. */
  raisedAt: Date | null
  clearedAt: Date | null
  /** Which gateway says so. */
  gateway: string
}

/** Slack takes 40 000 characters and Telegram 4 096. */
const textMax = 2_000

/** Writes a message's body, JSON. `chat`: for Telegram. */
export function messageBody(message: AlarmMessage, shape: MessageShape, chat: string | undefined): string {
  if (shape !== 'plain') return textBody(messageText(message), shape, chat)
  const { event, alarm, detail, raisedAt, clearedAt, gateway } = message
  return JSON.stringify({
    event: `alarm.${event}`,
    alarm,
    meaning: meanings[alarm],
    detail,
    raised_at: raisedAt?.toISOString() ?? null,
    cleared_at: clearedAt?.toISOString() ?? null,
    gateway,
  })
}

/** Writes the body of a message that is one text, as Slack or Telegram expects it. */
export function textBody(text: string, shape: 'slack' | 'telegram', chat: string | undefined): string {
  if (shape === 'slack') return JSON.stringify({ text: escaped(text) })
  return JSON.stringify({ chat_id: chat, text, disable_web_page_preview: true })
}

/** Writes a message as text. A fact of the detail is one line. */
export function messageText({ event, alarm, detail, raisedAt, clearedAt, gateway }: AlarmMessage): string {
  const began = raisedAt ? `since ${minuteOf(raisedAt)}` : ''
  const head = {
    raised: `ALARM ${alarm}`,
    repeated: `STILL ${alarm} ${began}`,
    cleared: `ended: ${alarm} (${began}${clearedAt ? ` until ${minuteOf(clearedAt)}` : ''})`,
  }[event]
  const facts = event === 'cleared' ? [] : Object.entries(detail).map(([name, value]) => lineOf(name, value))
  const lines = [
    `[${gateway}] ${head}`,
    meanings[alarm],
    ...facts,
    ...(event === 'cleared' ? [] : [`What to do: docs/alarms.md, ${alarm}`]),
  ]
  return lines.join('\n').slice(0, textMax)
}

function lineOf(name: string, value: unknown): string {
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
  return `${name}: ${text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 500)}`
}

function minuteOf(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** What Slack would take for a link or a mention of everybody. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

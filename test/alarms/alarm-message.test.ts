import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alarmNames, meanings } from '../../src/alarms/alarm.ts'
import { type AlarmMessage, messageBody, messageText } from '../../src/alarms/alarm-message.ts'

const message: AlarmMessage = {
  event: 'raised',
  alarm: 'held',
  detail: { transfers: 2, usdt: '5000' },
  raisedAt: new Date('2026-11-29T10:00:00Z'),
  clearedAt: null,
  gateway: 'pay.example',
}

test('a plain message has every fact as a member', () => {
  assert.deepEqual(JSON.parse(messageBody(message, 'plain', undefined)), {
    event: 'alarm.raised',
    alarm: 'held',
    meaning: meanings.held,
    detail: { transfers: 2, usdt: '5000' },
    raised_at: '2026-11-29T10:00:00.000Z',
    cleared_at: null,
    gateway: 'pay.example',
  })
})

test("Slack's and Telegram's messages are one text, and Telegram's names the chat", () => {
  const text = `[pay.example] ALARM held\n${meanings.held}\ntransfers: 2\nusdt: 5000\nWhat to do: docs/alarms.md, held`
  assert.deepEqual(JSON.parse(messageBody(message, 'slack', undefined)), { text })
  assert.deepEqual(JSON.parse(messageBody(message, 'telegram', '-100')), {
    ...{ chat_id: '-100', text, disable_web_page_preview: true },
  })
})

test('a fact that somebody else wrote can mention nobody, break no line, and is cut', () => {
  const hostile = {
    ...message,
    detail: { why: '<!channel>\n<https://evil.example|x>', long: 'y'.repeat(9_999) },
  }
  const { text } = JSON.parse(messageBody(hostile, 'slack', undefined))
  assert(!text.includes('<') && text.includes('&lt;!channel&gt; &lt;https:'))
  assert(messageText(hostile).length <= 2_000)
  assert.equal(messageText(hostile).split('\n').length, 5)
})

test('the end of an alarm and an alarm that stays say since when', () => {
  const ended = { ...message, event: 'cleared', clearedAt: new Date('2026-11-29T10:30:00Z') } as const
  assert.match(messageText(ended), /ended: held \(since 2026-11-29 10:00 UTC until 2026-11-29 10:30 UTC\)/)
  assert.match(messageText({ ...message, event: 'repeated' }), /STILL held since 2026-11-29 10:00 UTC/)
})

test('every alarm says what it means', () => {
  for (const name of alarmNames) assert.match(meanings[name], /^[A-Z].*\.$/, name)
})

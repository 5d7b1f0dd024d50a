import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MerchantId } from '../../src/base/ids.ts'
import type { Logger } from '../../src/base/log.ts'
import { openRefusalLog, type Refusal } from '../../src/http/refusal-log.ts'
import { openApiUnderTest } from '../support/api-under-test.ts'

function logged() {
  const lines: Record<string, unknown>[] = []
  const add = (facts: object, event: string) => void lines.push({ ...facts, event })
  return { lines, log: { info: add, error: add, debug: () => undefined } as unknown as Logger }
}

function refusals() {
  let nowMs = Date.parse('2026-11-01T00:00:00Z')
  const { lines, log } = logged()
  const refusing = openRefusalLog(log, { now: () => new Date(nowMs) })
  const refuse = (given: Partial<Refusal>) =>
    refusing.refused({
      requestId: 'r',
      code: 'bad_sign',
      clientAddress: '203.0.113.7',
      reason: 'no',
      ...given,
    })
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { lines, refusing, refuse, pass }
}

test('of 500 refusals of one address the first is logged, and then their count', () => {
  const { lines, refuse, pass } = refusals()
  for (let i = 0; i < 500; i++) refuse({})
  assert.equal(lines.length, 1)
  pass(60_000)
  refuse({})
  assert.deepEqual(
    lines.map(({ event, requests }) => [event, requests]),
    [
      ['request.refused', undefined],
      ['request.refused_again', 499],
      ['request.refused', undefined],
    ],
  )
  assert.deepEqual(
    [lines[1]!.code, lines[1]!.clientAddress, lines[1]!.withinMs],
    ['bad_sign', '203.0.113.7', 60_000],
  )
})

test('another code, another merchant and another network are logged on their own; an IPv6 /64 is one', () => {
  const { lines, refuse, refusing } = refusals()
  refuse({})
  refuse({ code: 'rate_limited' })
  refuse({ merchantId: 1n as MerchantId })
  refuse({ merchantId: 2n as MerchantId })
  refuse({ clientAddress: '2001:db8::1' })
  refuse({ clientAddress: '2001:db8::2' })
  assert.equal(lines.length, 5)
  refusing.close()
  assert.equal(lines.length, 6)
})

test('a million addresses write a few hundred lines, and a merchant is still logged', () => {
  const { lines, refuse, refusing } = refusals()
  for (let i = 0; i < 1_000_000; i++) refuse({ clientAddress: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` })
  assert.equal(lines.length, 200)
  refuse({ merchantId: 1n as MerchantId })
  assert.equal(lines.length, 201)
  refusing.close()
  const others = lines.find(({ event }) => event === 'request.refused_again')!
  assert.deepEqual([others.clientAddress, others.requests], [null, 999_800])
  assert.equal(lines.length, 202)
})

test('whatever a stranger sends 500 times writes one line each, and no row', async () => {
  const api = await openApiUnderTest({ ipRateLimitPerMinute: 400 })
  for (let i = 0; i < 500; i++) {
    await api.app.inject({
      method: 'POST',
      url: '/api/merchant/newaddress',
      payload: { appid: `nobody${i}` },
    })
  }
  for (let i = 0; i < 50; i++) {
    await api.app.inject({ url: `/nowhere/${i}` })
    await api.app.inject({ method: 'POST', url: '/api/merchant/%zz' })
  }
  const lines = api
    .logged()
    .split('\n')
    .filter(line => line.includes('request.refused') && line.includes('"level":30'))
  assert.ok(lines.length >= 3 && lines.length <= 6, lines.join('\n'))
  const { rows } = await api.pool.query('select count(*) from api_request')
  assert.equal(rows[0].count, 0n)
})

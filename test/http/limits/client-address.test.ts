import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientAddressOf, limitKeyOf, readAddress } from '../../../src/http/limits/client-address.ts'
import { setMerchant } from '../../../src/merchants/set-merchant.ts'
import { openApiUnderTest, readAnswer } from '../../support/api-under-test.ts'
import { type Caller, formBody, signed } from '../../support/signed-request.ts'

const user = { username: 'u', localusermark: '1' }
const api = await openApiUnderTest({ trustProxy: ['10.0.0.0/8', 'fd00::/8'] })

/** A merchant that lets itself be called for from these alone. */
async function merchantAllowing(...clients: string[]): Promise<Caller> {
  const caller = await api.addMerchant()
  await setMerchant(api.pool, caller.appid, { allowedClients: clients }, { checkUrl: () => null })
  await api.merchants.refresh()
  return caller
}

async function callFrom(caller: Caller, remoteAddress: string, headers: Record<string, string> = {}) {
  const answer = await api.app.inject({
    method: 'POST',
    url: '/api/merchant/newAddress',
    remoteAddress,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: formBody(signed(caller, 'newAddress', user)),
  })
  return readAnswer(answer).code ?? 'ok'
}

test('a client address is read in one form, whatever form it came in', () => {
  const forms: [string, string | null][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:41202', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107', '203.0.113.7'],
    ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
    ['[::ffff:cb00:7107]:443', '203.0.113.7'],
    ['::ffff:0:cb00:7107', '::ffff:0:cb00:7107'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['unknown', null],
    ['_hidden', null],
    ['203.0.113', null],
    ['203.0.113.7:port', null],
    ['203.0.113.7, 198.51.100.1', null],
    ['', null],
  ]
  for (const [text, address] of forms) assert.equal(readAddress(text), address, text)
})

test('a client that has gone has an address all the same', () => {
  const gone = { ip: undefined, socket: { remoteAddress: undefined } }
  assert.equal(clientAddressOf(gone as never), '0.0.0.0')
})

test('a limit counts an IPv6 client by its /64', () => {
  assert.equal(limitKeyOf('203.0.113.7'), '203.0.113.7')
  assert.equal(limitKeyOf('2001:db8:1:2::1'), limitKeyOf('2001:db8:1:2:ffff:0:0:9'))
  assert.notEqual(limitKeyOf('2001:db8:1:2::1'), limitKeyOf('2001:db8:1:3::1'))
  assert.equal(limitKeyOf('::1'), '0:0:0:0')
  assert.equal(limitKeyOf('2001:db8::'), '2001:db8:0:0')
})

test('a merchant without a list may be called for from anywhere, one with a list only from there', async () => {
  const open = await api.addMerchant()
  const listed = await merchantAllowing('203.0.113.7', '198.51.100.0/24', '2001:db8:1::/48')
  assert.equal(await callFrom(open, '192.0.2.1'), 'ok')
  for (const inside of ['203.0.113.7', '198.51.100.255', '2001:db8:1:ffff::9', '::ffff:203.0.113.7']) {
    assert.equal(await callFrom(listed, inside), 'ok', inside)
  }
  for (const outside of ['203.0.113.8', '198.51.101.0', '2001:db8:2::9', '::ffff:203.0.113.8']) {
    assert.equal(await callFrom(listed, outside), 'client_not_allowed', outside)
  }
})

test('a list of IPv6 addresses alone lets no IPv4 client in, and the other way round', async () => {
  assert.equal(await callFrom(await merchantAllowing('2001:db8::/32'), '203.0.113.7'), 'client_not_allowed')
  assert.equal(await callFrom(await merchantAllowing('0.0.0.0/0'), '2001:db8::1'), 'client_not_allowed')
})

test('who does not know the key is not told of the list', async () => {
  const listed = await merchantAllowing('203.0.113.7')
  assert.equal(await callFrom({ ...listed, key: 'another' }, '192.0.2.1'), 'bad_sign')
})

test('forged headers move no client onto the list', async () => {
  const listed = await merchantAllowing('203.0.113.7')
  const forged: Record<string, string>[] = [
    { 'x-forwarded-for': '203.0.113.7' },
    { 'x-forwarded-for': '203.0.113.7, 203.0.113.7' },
    { 'x-forwarded-for': '[203.0.113.7]' },
    { 'X-Forwarded-For': '203.0.113.7:80' },
    { 'x-forwarded-for': '::ffff:203.0.113.7' },
    { 'x-real-ip': '203.0.113.7' },
    { 'x-client-ip': '203.0.113.7' },
    { 'cf-connecting-ip': '203.0.113.7' },
    { 'true-client-ip': '203.0.113.7' },
    { forwarded: 'for=203.0.113.7' },
    { forwarded: 'for="[2001:db8::1]:80";by=203.0.113.7' },
    { via: '1.1 203.0.113.7', 'x-forwarded-host': '203.0.113.7' },
  ]
  for (const headers of forged) {
    assert.equal(await callFrom(listed, '192.0.2.1', headers), 'client_not_allowed', JSON.stringify(headers))
  }
})

test('behind a trusted proxy the client is what the proxy wrote, whatever the client had written before', async () => {
  const listed = await merchantAllowing('203.0.113.7', '2001:db8::1')
  const forwarded = (list: string) => ({ 'x-forwarded-for': list })
  assert.equal(await callFrom(listed, '10.0.0.1', forwarded('203.0.113.7')), 'ok')
  assert.equal(await callFrom(listed, '10.0.0.1', forwarded('203.0.113.7:55123')), 'ok')
  assert.equal(await callFrom(listed, 'fd00::1', forwarded('[2001:db8::1]:55123')), 'ok')
  assert.equal(await callFrom(listed, '10.0.0.1', forwarded('203.0.113.7, 10.2.3.4')), 'ok', 'two proxies')
  const left = forwarded('203.0.113.7, 192.0.2.1')
  assert.equal(await callFrom(listed, '10.0.0.1', left), 'client_not_allowed')
  const throughStranger = forwarded('203.0.113.7, 192.0.2.1, 10.2.3.4')
  assert.equal(await callFrom(listed, '10.0.0.1', throughStranger), 'client_not_allowed')
  assert.equal(await callFrom(listed, '10.0.0.1', forwarded('unknown')), 'client_not_allowed')
  assert.equal(await callFrom(listed, '10.0.0.1'), 'client_not_allowed')
})

test('what is no address is refused when the list is set, and nothing is changed', async () => {
  const listed = await merchantAllowing('203.0.113.7')
  const set = (allowedClients: string[]) =>
    setMerchant(api.pool, listed.appid, { allowedClients }, { checkUrl: () => null })
  for (const wrong of [
    'shop.example',
    '203.0.113.7/33',
    '203.0.113',
    '2001:db8::/129',
    '*',
    '203.0.113.7/',
  ]) {
    await assert.rejects(set([wrong]), { message: `allowed clients: addresses and CIDRs, got "${wrong}"` })
  }
  await assert.rejects(set(Array.from({ length: 101 }, (_, i) => `10.0.0.${i}`)), /at most 100/)
  await api.merchants.refresh()
  assert.equal(await callFrom(listed, '192.0.2.1'), 'client_not_allowed')
  await set([])
  await api.merchants.refresh()
  assert.equal(await callFrom(listed, '192.0.2.1'), 'ok', 'an empty list is none')
})

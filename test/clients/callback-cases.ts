import { createHmac } from 'node:crypto'
import { legacy, usdt } from '../../src/base/money.ts'
import type { CallbackFacts } from '../../src/callbacks/outbox/callback.ts'
import { eventFields } from '../../src/callbacks/outbox/event.ts'
import { callbackBody, encodeBody } from '../../src/callbacks/sending/callback-body.ts'
import { webhookHeaders } from '../../src/callbacks/sending/webhook-signature.ts'
import { type EventName, eventNames } from '../../src/merchants/event-names.ts'
import type { VerifyCase } from './drive.ts'

export const appid = 'VunTq7Zk2Lm9h1l8'
const key = '3f9c1e7ab2d84455a0c6e1f27d90b8aa'
const oldKey = '00000000000000000000000000000000'
const secret = 'whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA='
const oldSecret = 'whsec_ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA='
const id = 'cb_0123456789abcdef0123456789abcdef'
const now = 1_662_299_959
const txid = '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00'

const facts: CallbackFacts = {
  key: id,
  orderid: 'sh-1',
  ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
  localusermark: '用户 é+~!*&=%',
  bodyAmount: legacy(30_001n),
  txid,
  logIndex: 0,
  transferAmount: usdt(3_000_150n),
  received: usdt(3_000_150n),
  orderAmount: usdt(3_000_000n),
  orderState: 'overpaid',
  late: false,
}

interface Made {
  scheme?: 'hmac-sha256' | 'sha1'
  format?: 'form' | 'json'
  fields?: 'six' | 'full'
  at?: number
  signedUnder?: readonly string[]
  facts?: Partial<CallbackFacts>
}

/** A callback as the gateway sends it, with the keys of a merchant that has set up everything. */
function sent(made: Made = {}): VerifyCase {
  const { scheme = 'hmac-sha256', format = 'form', fields = 'six', at = now } = made
  const merchant = { appid, callbackFields: fields, callbackFormat: format }
  const { text } = callbackBody({ ...facts, ...made.facts }, merchant, { scheme, key }, at)
  return withBody(text, { scheme, at, ...(made.signedUnder && { signedUnder: made.signedUnder }) })
}

/** Any body under the right webhook signature: what only the body itself can be refused for. */
function withBody(body: string | Buffer, made: Made = {}): VerifyCase {
  const { scheme = 'hmac-sha256', at = now, signedUnder = [secret] } = made
  const headers =
    typeof body === 'string' ? webhookHeaders(signedUnder, id, at, body) : bytesHeaders(body, at)
  return { secrets: [secret], keys: [key], scheme, now, headers, body }
}

function bytesHeaders(body: Buffer, at: number) {
  const digest = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
    .update(`${id}.${at}.`)
    .update(body)
    .digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': `${at}`, 'webhook-signature': `v1,${digest}` }
}

const fieldsOf = (changes: Record<string, string>) => ({
  orderid: 'sh-1',
  localusermark: '1',
  amount: '30000',
  appid,
  t: `${now}`,
  ...changes,
})

/** Something else than a credit's callback, as the gateway sends it, under both right signatures. */
function stated(fields: Record<string, string>, made: Made = {}): VerifyCase {
  const { scheme = 'hmac-sha256', format = 'form' } = made
  const merchant = { appid, callbackFields: 'full', callbackFormat: format }
  return withBody(callbackBody({ key: id, fields }, merchant, { scheme, key }, now).text, { scheme })
}

const depositFields = {
  deposit_id: id,
  deposit_localusermark: facts.localusermark,
  deposit_address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
  deposit_txid: txid,
  deposit_log_index: '2',
  deposit_amount: '30001',
  deposit_amount_usdt: '3.00015',
}
const depositOf = (changes: Record<string, string> = {}) => stated({ ...depositFields, ...changes })

const said = { orderid: 'sh-1', localusermark: '1', amount_usdt: '3', txid }
const eventOf = (event: EventName) => eventFields({ key: id, event, says: said })

/** A form under both right signatures. */
const formOf = (changes: Record<string, string>) =>
  withBody(encodeBody(fieldsOf(changes), 'form', { scheme: 'hmac-sha256', key }).text)

const good = sent()
const full = sent({ fields: 'full', format: 'json' })
const sha1 = sent({ scheme: 'sha1' })
const upper = (headers: VerifyCase['headers']) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
const without = (headers: VerifyCase['headers'], name: string) =>
  Object.fromEntries(Object.entries(headers).filter(([given]) => given !== name))

const ok = (localusermark: string, amount: string, more = `${now}\tfalse\t-`) =>
  `ok\t${id}\tsh-1\t${localusermark}\t${amount}\t${more}`
const mark = facts.localusermark
const believed = ok(mark, '30001\t3.0001')
const believedFull = ok(mark, '30001\t3.0001', `${now}\tfalse\t${txid}`)
const refused = (code: string) => `refused\t${code}`

const believedDeposit = `ok\t${id}\t${mark}\tTWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6\t${txid}\t2\t30001\t3.0001\t${now}`
const believedEvent = (event: string) => `ok\t${id}\t${event}\t${now}\t${txid}`
const byKeyAlone = (given: VerifyCase): VerifyCase => ({ ...given, secrets: [], headers: {} })

/** Callbacks that a stranger may have seen on their way, each at a merchant that verifies in another way. */
export const recordedCallbacks: readonly { fact: string; given: VerifyCase; believed: string }[] = [
  { fact: 'both keys', given: good, believed },
  { fact: 'the webhook secret alone', given: { ...sent({ format: 'json' }), keys: [] }, believed },
  { fact: 'the key alone', given: { ...full, secrets: [], headers: {} }, believed: believedFull },
  {
    fact: 'the key alone, by form',
    given: { ...sent({ fields: 'full' }), secrets: [], headers: {} },
    believed: believedFull,
  },
  { fact: 'a sha1 key beside the webhook secret', given: sha1, believed },
  { fact: 'a deposit, by both keys', given: { ...depositOf(), as: 'any' }, believed: believedDeposit },
  {
    fact: 'a deposit, by the key alone',
    given: { ...byKeyAlone(depositOf()), as: 'any' },
    believed: believedDeposit,
  },
  {
    fact: 'an event, by both keys',
    given: { ...stated(eventOf('order.seen')), as: 'any' },
    believed: believedEvent('order.seen'),
  },
]

/** What is given, and what every client has to say of it. */
// biome-ignore format: a table.
export const callbackCases: readonly (readonly [fact: string, given: VerifyCase, answer: string])[] = [
  ['a form of six fields', good, believed],
  ['JSON of six fields', sent({ format: 'json' }), believed],
  ['a form of all fields', sent({ fields: 'full' }), believedFull],
  ['JSON of all fields', full, believedFull],
  ['a sha1 sign beside the webhook secret', sha1, believed],
  ['header names in capitals', { ...good, headers: upper(good.headers) }, believed],
  ['the webhook secret alone', { ...good, keys: [] }, believed],
  ['the key alone, of all fields', { ...full, secrets: [], headers: {} }, believedFull],
  ['the old secret and the new', { ...good, secrets: [oldSecret, secret] }, believed],
  ['two signatures, one of ours', sent({ signedUnder: [oldSecret, secret] }), believed],
  ['the old key and the new', { ...good, keys: [oldKey, key] }, believed],
  ['sign in small letters', withBody(`${good.body}`.replace(/sign=\w+/, s => s.toLowerCase())), believed],
  ['299 seconds ago', { ...good, now: now + 299 }, believed],
  ['299 seconds ahead', { ...good, now: now - 299 }, believed],
  ['a whole amount', sent({ facts: { bodyAmount: legacy(100_000n) } }), ok(mark, '100000\t10')],
  ['the smallest amount', sent({ facts: { bodyAmount: legacy(1n) } }), ok(mark, '1\t0.0001')],
  ['more than a float holds', sent({ facts: { bodyAmount: legacy(9_007_199_254_740_993n) } }), ok(mark, '9007199254740993\t900719925474.0993')],
  ['a sample', sent({ facts: { bodyAmount: legacy(0n) } }), ok(mark, '0\t0', `${now}\ttrue\t-`)],

  ['webhook-id missing', { ...good, headers: without(good.headers, 'webhook-id') }, refused('missing_header')],
  ['webhook-signature missing', { ...good, headers: without(good.headers, 'webhook-signature') }, refused('missing_header')],
  ['webhook-timestamp missing', { ...good, headers: without(good.headers, 'webhook-timestamp') }, refused('missing_header')],
  ['another webhook-id: a repetition under a new key', { ...good, headers: { ...good.headers, 'webhook-id': 'cb_f' } }, refused('bad_signature')],
  ['another webhook-timestamp', { ...good, headers: { ...good.headers, 'webhook-timestamp': `${now + 1}` } }, refused('bad_signature')],
  ['a body with a space more', { ...good, body: `${good.body} ` }, refused('bad_signature')],
  ['another secret', { ...good, secrets: [oldSecret] }, refused('bad_signature')],
  ['a signature of another version', { ...good, headers: { ...good.headers, 'webhook-signature': `${good.headers['webhook-signature']}`.replace('v1,', 'v2,') } }, refused('bad_signature')],
  ['a signature cut short', { ...good, headers: { ...good.headers, 'webhook-signature': `${good.headers['webhook-signature']}`.slice(0, -1) } }, refused('bad_signature')],
  ['a signature that is none', { ...good, headers: { ...good.headers, 'webhook-signature': 'v1,é' } }, refused('bad_signature')],
  ['301 seconds ago', { ...good, now: now + 301 }, refused('stale_timestamp')],
  ['301 seconds ahead', { ...good, now: now - 301 }, refused('stale_timestamp')],
  ['301 seconds ago, by the key alone', { ...full, secrets: [], now: now + 301 }, refused('stale_timestamp')],
  ['another key', { ...good, keys: [oldKey] }, refused('bad_sign')],
  ['another scheme', { ...good, scheme: 'sha1' }, refused('bad_sign')],
  ['no sign', withBody(new URLSearchParams(fieldsOf({})).toString()), refused('bad_sign')],
  ['a sign that is none', withBody(new URLSearchParams(fieldsOf({ sign: 'é' })).toString()), refused('bad_sign')],
  ['a changed amount, by the key alone', { ...full, secrets: [], body: `${full.body}`.replace('30001', '90001') }, refused('bad_sign')],
  ['another appid', formOf({ appid: 'another' }), refused('wrong_appid')],
  ['six fields by the key alone: the Idempotency-Key is signed by nobody', { ...good, secrets: [], headers: { 'idempotency-key': id } }, refused('no_signed_key')],
  ['callback_id and webhook-id that differ', formOf({ callback_id: 'cb_f' }), refused('bad_body')],
  ['an amount with decimals', formOf({ amount: '3.5' }), refused('bad_body')],
  ['a negative amount', formOf({ amount: '-30000' }), refused('bad_body')],
  ['an amount with a line end', formOf({ amount: '30000\n' }), refused('bad_body')],
  ['an amount with an exponent', formOf({ amount: '3e4' }), refused('bad_body')],
  ['an amount with a zero in front', formOf({ amount: '030000' }), refused('bad_body')],
  ['an amount of twenty digits', formOf({ amount: '9'.repeat(20) }), refused('bad_body')],
  ['an amount in Arabic digits', formOf({ amount: '٣' }), refused('bad_body')],
  ['a t that is none', formOf({ t: 'now' }), refused('bad_body')],
  ...eventNames.map(event => [`the event ${event}`, stated(eventOf(event)), refused('bad_body')] as const),
  ['an event as JSON', stated(eventOf('order.seen'), { format: 'json' }), refused('bad_body')],
  ['an event under a sha1 key', stated(eventOf('order.seen'), { scheme: 'sha1' }), refused('bad_body')],
  ['an event by the key alone', { ...stated(eventOf('order.seen')), secrets: [], headers: {} }, refused('bad_body')],
  ['an event by the webhook secret alone', { ...stated(eventOf('order.seen')), keys: [] }, refused('bad_body')],
  ['a deposit', depositOf(), refused('bad_body')],
  ['a deposit by the key alone', byKeyAlone(depositOf()), refused('bad_body')],
  ['a deposit, to who takes deposits', { ...depositOf(), as: 'deposit' }, believedDeposit],
  ['a deposit as JSON', { ...stated(depositFields, { format: 'json' }), as: 'any' }, believedDeposit],
  ['a deposit under a sha1 key', { ...stated(depositFields, { scheme: 'sha1' }), as: 'any' }, believedDeposit],
  ['a deposit, by the webhook secret alone', { ...depositOf(), keys: [], as: 'any' }, believedDeposit],
  ['a deposit by a sha1 key alone', { ...byKeyAlone(stated(depositFields, { scheme: 'sha1' })), as: 'deposit' }, 'keys'],
  ['a deposit whose keys differ', { ...depositOf({ deposit_id: 'cb_f' }), as: 'any' }, refused('bad_body')],
  ['a deposit without its key', { ...stated({ ...depositFields, deposit_id: '' }), as: 'any' }, refused('bad_body')],
  ['a deposit of decimals', { ...depositOf({ deposit_amount: '3.5' }), as: 'any' }, refused('bad_body')],
  ['a deposit at no place', { ...depositOf({ deposit_log_index: '-1' }), as: 'any' }, refused('bad_body')],
  ['a deposit of another merchant', { ...withBody(encodeBody({ ...depositFields, appid: 'another', t: `${now}` }, 'form', { scheme: 'hmac-sha256', key }).text), as: 'any' }, refused('wrong_appid')],
  ['a deposit signed five minutes ago', { ...depositOf(), now: now + 301, as: 'any' }, refused('stale_timestamp')],
  ['a callback, to who takes deposits', { ...good, as: 'deposit' }, refused('bad_body')],
  ['a callback, to who takes anything', { ...good, as: 'any' }, believed],
  ...eventNames.map(event => [`${event}, to who takes events`, { ...stated(eventOf(event)), as: 'any' }, believedEvent(event)] as const),
  ['an event, to who takes deposits', { ...stated(eventOf('order.seen')), as: 'deposit' }, refused('bad_body')],
  ['an event by the key alone, to who takes events', { ...byKeyAlone(stated(eventOf('order.seen'))), as: 'event' }, believedEvent('order.seen')],
  ['an event of a later gateway', { ...stated({ event: 'order.renamed', event_id: id, event_txid: txid }), as: 'any' }, believedEvent('order.renamed')],
  ['an event whose keys differ', { ...stated({ ...eventOf('order.seen'), event_id: 'ev_f' }), as: 'any' }, refused('bad_body')],
  ['an event without its key', { ...stated({ event: 'order.seen' }), as: 'any' }, refused('bad_body')],
  ['a callback, to who takes events', { ...good, as: 'event' }, refused('bad_body')],
  ['no body, to who takes anything', { ...withBody(''), as: 'any' }, refused('bad_body')],
  ['no orderid', formOf({ orderid: '' }), refused('bad_body')],
  ['a field twice', withBody(`${good.body}&amount=1`), refused('bad_body')],
  ['a malformed escape', withBody(`${good.body}&x=%zz`), refused('bad_body')],
  ['an escape cut short', withBody(`${good.body}&x=%4`), refused('bad_body')],
  ['escapes that are not UTF-8', withBody(`${good.body}&x=%ff`), refused('bad_body')],
  ['bytes that are not UTF-8', withBody(Buffer.from([...Buffer.from(`${good.body}&x=`), 0xff])), refused('bad_body')],
  ['JSON with a number', withBody(JSON.stringify({ ...fieldsOf({}), amount: 30_000, sign: 'X' })), refused('bad_body')],
  ['JSON with a null', withBody(JSON.stringify({ ...fieldsOf({}), more: null, sign: 'X' })), refused('bad_body')],
  ['JSON cut short', withBody('{"orderid":"sh-1"'), refused('bad_body')],
  ['an empty body', withBody(''), refused('bad_body')],

  ['no key at all', { ...good, secrets: [], keys: [] }, 'keys'],
  ['a sha1 key alone, which cannot tell a callback from a request', { ...sha1, secrets: [] }, 'keys'],
  ['an empty secret, as of a setting that is missing', { ...good, secrets: ['', secret] }, 'keys'],
  ['an empty key', { ...good, keys: ['', key] }, 'keys'],
  ['a secret without its prefix', { ...good, secrets: [secret.slice('whsec_'.length)] }, 'keys'],
]

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatUsdt } from '../../../../src/base/money.ts'
import { payUrls } from '../../../../src/orders/pay-link.ts'
import { addressFromBytes, addressToHex, parseTronAddress } from '../../../../src/tron/address.ts'
import { readSearch } from '../../../../src/web/console/search/read-search.ts'

const txid = '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00'
const address = 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm'

const digits = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map(all => all.join(''))
/** The same letters, each in either case. */
const anyCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map(upper => [...text].map((one, i) => (upper[i] ? one.toUpperCase() : one)).join(''))
const anyAddress = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(addressFromBytes)

/** Any text, and texts that look like something. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc
    .array(
      fc.constantFrom(
        'cz-',
        'cb_',
        'dp_',
        '0x',
        '/pay/',
        'T',
        '.',
        ',',
        ' ',
        '\0',
        '1',
        'a',
        'USDT',
        '\ud800',
        txid,
        address,
      ),
      {
        maxLength: 40,
      },
    )
    .map(parts => parts.join('')),
)

test('whatever is typed is read, and what it may be has the form of it', () => {
  fc.assert(
    fc.property(anyText, text => {
      const read = readSearch(text)
      for (const name of [read.orderid, read.localusermark]) {
        if (name === undefined) continue
        assert.equal(name, text.trim())
        assert.doesNotMatch(name, /\p{Cc}/u)
      }
      if (read.ordersn) assert.match(read.ordersn, /^cz-[0-9a-f]{32}$/)
      if (read.callbackKey) assert.match(read.callbackKey, /^(cb|dp)_[0-9a-f]{32}$/)
      if (read.txid) assert.match(read.txid, /^[0-9a-f]{64}$/)
      if (read.address) assert.equal(parseTronAddress(read.address), read.address)
      if (read.payToken) assert.equal(read.payToken.length, 16)
      assert(read.amount === undefined || read.amount > 0n)
      assert(!(read.address && read.wrongAddress))
    }),
    { numRuns: 2_000 },
  )
})

test('a text of millions of characters is read as soon as a short one', () => {
  for (const long of [
    '1,'.repeat(2_000_000),
    ' '.repeat(4_000_000),
    'T'.repeat(4_000_000),
    'a0'.repeat(2_000_000),
  ])
    assert.deepEqual(Object.keys(readSearch(long)), [])
  assert.equal(readSearch(`${txid}${' x'.repeat(2_000_000)}`).txid, txid)
})

test('a transaction is found in any case, with 0x or without, alone or in an explorer’s URL', () => {
  const around = fc.constantFrom(
    (id: string) => id,
    (id: string) => `0x${id}`,
    (id: string) => `  ${id}\n`,
    (id: string) => `\u200b${id}\ufeff`,
    (id: string) => `https://tronscan.org/#/transaction/${id}`,
    (id: string) => `https://nile.tronscan.org/#/transaction/${id}?lang=zh`,
    (id: string) => `https://shasta.tronscan.org/#/transaction/0x${id}/`,
    (id: string) => `https://www.okx.com/web3/explorer/tron/tx/${id}`,
    (id: string) => `https://www.oklink.com/trx/tx/${id}#logs`,
    (id: string) => `TXID：${id}，已转账`,
  )
  fc.assert(
    fc.property(
      digits(64).chain(id => fc.tuple(fc.constant(id), anyCase(id))),
      around,
      ([id, typed], wrap) => {
        assert.equal(readSearch(wrap(typed)).txid, id)
      },
    ),
  )
  for (const wrong of [txid.slice(1), `${txid}0`, `${txid.slice(1)}g`])
    assert.equal(readSearch(wrong).txid, undefined)
})

test('an address is found as text, as hex, and in an explorer’s URL', () => {
  fc.assert(
    fc.property(anyAddress, one => {
      const hex = addressToHex(one)
      const forms = [
        one,
        ` ${one} `,
        `41${hex}`,
        `0x${hex.toUpperCase()}`,
        `https://tronscan.org/#/address/${one}/transfers`,
      ]
      for (const form of forms) assert.equal(readSearch(form).address, one, form)
    }),
  )
})

test('an address that lost its case, or has a wrong character, is told to be none', () => {
  assert.equal(readSearch(address.toLowerCase()).wrongAddress, 'case')
  assert.equal(readSearch(address.toUpperCase()).wrongAddress, 'case')
  assert.equal(readSearch(address.replace('8', '9')).wrongAddress, 'checksum')
  assert.equal(readSearch(`t${address.slice(1)}`).wrongAddress, 'checksum')
  assert.deepEqual(
    [readSearch(address).wrongAddress, readSearch('sh-1').wrongAddress],
    [undefined, undefined],
  )
})

test('ids of ours are found in any case, and inside a URL of the console', () => {
  fc.assert(
    fc.property(digits(32), fc.constantFrom('cz-', 'cb_', 'dp_'), (hex, prefix) => {
      const kind = prefix === 'cz-' ? 'ordersn' : 'callbackKey'
      for (const form of [
        prefix + hex,
        (prefix + hex).toUpperCase(),
        `https://pay.example/console/x/${prefix}${hex}?a=1`,
      ])
        assert.equal(readSearch(form)[kind], prefix + hex)
    }),
  )
})

test('the link of a payer’s page names its order', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes => {
      const { pay_url, qr_svg_url } = payUrls('https://pay.example', Buffer.from(bytes))
      for (const url of [pay_url, qr_svg_url, `${pay_url}?lang=zh`])
        assert.deepEqual(readSearch(url).payToken, Buffer.from(bytes))
    }),
  )
})

test('an amount is read with its unit, its separators and zeros at its end, and none of it is needed', () => {
  fc.assert(
    fc.property(
      fc.bigInt(1n, 10n ** 18n - 1n),
      fc.constantFrom(',', "'", ' '),
      fc.nat(9),
      (units, separator, zeros) => {
        const text = formatUsdt(units)
        const [whole, fraction] = text.split('.')
        const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, separator) + (fraction ? `.${fraction}` : '')
        const long = `${fraction ? text : `${text}.`}${'0'.repeat(zeros + 1)}`
        const forms = [
          text,
          grouped,
          long,
          `${grouped} USDT`,
          `${text}u`,
          `USDT ${text}`,
          `$${text}`,
          ` ${text} usdt `,
        ]
        for (const form of forms) assert.equal(readSearch(form).amount, units, form)
      },
    ),
  )
  assert.equal(readSearch('１２．５０ ＵＳＤＴ').amount, 12_500_000n)
  for (const none of [
    '0',
    '0.00',
    '-1',
    '1,5',
    '1,00',
    '1,0000',
    '12.',
    '.5',
    '1e3',
    '0.0000001',
    '1 USDT 2',
    '1'.repeat(13),
  ])
    assert.equal(readSearch(none).amount, undefined, none)
})

test('one text may be several things', () => {
  assert.deepEqual(readSearch(' 100 '), { orderid: '100', localusermark: '100', amount: 100_000_000n })
  assert.deepEqual(readSearch(txid), { localusermark: txid, txid })
  assert.deepEqual(readSearch(''), {})
})

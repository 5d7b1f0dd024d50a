import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MerchantId } from '../../src/base/ids.ts'
import { formatUsdt, usdt } from '../../src/base/money.ts'
import {
  conflictingFields,
  type ExistingOrder,
  isExpired,
  type OrderRequest,
  orderState,
  readAmount,
} from '../../src/orders/order.ts'

const taken: [string, bigint][] = [
  ['1', 1_000_000n],
  ['3', 3_000_000n],
  ['3.0000', 3_000_000n],
  ['100', 100_000_000n],
  ['0.1', 100_000n],
  ['0.000001', 1n],
  ['0.100000', 100_000n],
  ['10.01', 10_010_000n],
  ['1.000001', 1_000_001n],
  ['9007199254.740993', 9_007_199_254_740_993n],
  ['999999999999', 999_999_999_999_000_000n],
  ['999999999999.999999', 999_999_999_999_999_999n],
]

for (const [text, units] of taken) {
  test(`amount ${text} is ${units} base units`, () => {
    assert.equal(readAmount(text), units)
  })
}

const refused: [string, RegExp][] = [
  ['0', /must be above 0, got "0"$/],
  ['0.0', /must be above 0/],
  ['0.000000', /must be above 0/],
  ['-1', /must be above 0, got "-1"$/],
  ['-0', /must be above 0/],
  ['-0.5', /must be above 0/],
  ['1.0000001', /^amount: at most 6 decimals, got "1.0000001"$/],
  ['0.0000001', /at most 6 decimals/],
  ['0.0000000', /at most 6 decimals/],
  ['1000000000000', /at most 12 digits before the point, got "1000000000000"$/],
  ['1000000000000.5', /at most 12 digits before the point/],
  [`9${'0'.repeat(400)}`, /got "90{31}\.\.\."$/],
  ...[
    '',
    ' ',
    '1 ',
    ' 1',
    '1\n',
    '\t1',
    '+1',
    '++1',
    '1e3',
    '1E3',
    '1e-3',
    '.5',
    '1.',
    '.',
    '00',
    '01',
    '00.5',
    '1,5',
    '1,000',
    '1_000',
    '1 000',
    '1.2.3',
    '1..2',
    '0x10',
    '0b1',
    '0o7',
    'NaN',
    'nan',
    'Infinity',
    '-Infinity',
    'null',
    'undefined',
    'true',
    'abc',
    '1a',
    'a1',
    '1 USDT',
    '$1',
    '０.１',
    '１',
    '٣',
    '1٫5',
    '½',
    '1\u0000',
    '1\u200b',
    '\uFEFF1',
    '1/2',
    '1%',
    '(1)',
    '1n',
    '--1',
    '-',
  ].map((text): [string, RegExp] => [text, /must be decimal USDT|must be above 0/]),
]

for (const [text, sentence] of refused) {
  test(`amount ${JSON.stringify(text).slice(0, 40)} is refused`, () => {
    assert.throws(() => readAmount(text), { code: 'bad_amount', message: sentence })
  })
}

test('a million amounts survive being written and read', () => {
  let seed = 20261123n
  for (let i = 0; i < 1_000_000; i++) {
    // A linear congruential generator over 64 bits; its upper bits, up to 18 digits.
    seed = (seed * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
    const units = ((seed >> 4n) % 10n ** BigInt(1 + (i % 18))) + 1n
    if (readAmount(formatUsdt(units)) !== units)
      assert.fail(`${units} became ${readAmount(formatUsdt(units))}`)
  }
})

test("an order's state follows from what it received", () => {
  const states = [0n, 1n, 99n, 100n, 101n].map(received => orderState(usdt(received), usdt(100n)))
  assert.deepEqual(states, ['pending', 'underpaid', 'underpaid', 'paid', 'overpaid'])
})

test("an order is expired once the head's time is past its end, and not a moment before", () => {
  const end = new Date('2026-11-23T00:00:00Z')
  assert.equal(isExpired(end, new Date(end.getTime() - 1)), false)
  assert.equal(isExpired(end, end), false)
  assert.equal(isExpired(end, new Date(end.getTime() + 1)), true)
})

test('a create asked for again conflicts in exactly the fields that differ', () => {
  const wanted: OrderRequest = {
    merchantId: 1n as MerchantId,
    orderid: 'o-1',
    username: 'u',
    localusermark: '1',
    address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
    amount: usdt(5_000_000n),
    notifyUrl: null,
    returnUrl: undefined,
  }
  const existing: ExistingOrder = {
    ...wanted,
    returnUrl: 'https://shop.example/1',
    payToken: Buffer.alloc(16),
    address: wanted.address!,
    ordersn: 'cz-1',
    ownAddress: false,
    expiresAt: 1,
  }
  assert.deepEqual(conflictingFields(wanted, existing), [])
  assert.deepEqual(conflictingFields({ ...wanted, username: 'v' }, existing), ['username'])
  assert.deepEqual(conflictingFields({ ...wanted, amount: usdt(5_000_001n) }, existing), ['amount'])
  assert.deepEqual(conflictingFields({ ...wanted, notifyUrl: 'https://a.example/' }, existing), [
    'notify_url',
  ])
  assert.deepEqual(conflictingFields({ ...wanted, localusermark: '2', address: 'T' }, existing), [
    'localusermark',
    'address',
  ])
  // Of a merchant who has return URLs the parameter is compared, left out or not.
  assert.deepEqual(conflictingFields({ ...wanted, returnUrl: null }, existing), ['return_url'])
  assert.deepEqual(conflictingFields({ ...wanted, returnUrl: 'https://shop.example/1' }, existing), [])
  // auto means the address of the order's own; the base address is another one.
  assert.deepEqual(conflictingFields({ ...wanted, address: null }, existing), ['address'])
  assert.deepEqual(conflictingFields({ ...wanted, address: null }, { ...existing, ownAddress: true }), [])
  assert.deepEqual(conflictingFields(wanted, { ...existing, ownAddress: true }), [])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatUsdt, parseUsdt, usdt, wholeLegacyUnits } from '../../src/base/money.ts'

for (const [text, units] of [
  ['0', 0n],
  ['3', 3_000_000n],
  ['3.0000', 3_000_000n],
  ['3.00005', 3_000_050n],
  ['0.000001', 1n],
  ['999999999999.999999', 999_999_999_999_999_999n],
] as const) {
  test(`${text} USDT is ${units} base units`, () => assert.equal(parseUsdt(text), units))
}

for (const text of [
  '',
  ' 1',
  '1 ',
  '-1',
  '+1',
  '01',
  '1.',
  '.5',
  '1e3',
  'NaN',
  'Infinity',
  '1.0000001',
  '1000000000000',
  '０.１',
  '1,5',
  '0x10',
  '1_000',
]) {
  test(`"${text}" is not an amount`, () => assert.equal(parseUsdt(text), null))
}

test('what is written is read back as it was', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), units => {
      const text = formatUsdt(units)
      assert.equal(parseUsdt(text), units)
      assert.doesNotMatch(text, /\.\d*0$|\.$/)
    }),
    { numRuns: 2000 },
  )
})

test('less than 1/10000 USDT is not a whole legacy unit', () => {
  assert.equal(wholeLegacyUnits(usdt(99n)), 0n)
  assert.equal(wholeLegacyUnits(usdt(3_000_050n)), 30_000n)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvLine, csvTimes } from '../../src/base/csv.ts'

for (const [cell, written] of [
  ['plain', 'plain'],
  [null, ''],
  ['', ''],
  [true, 'true'],
  [-5n, '-5'],
  ['a,b', '"a,b"'],
  ['say "x"', '"say ""x"""'],
  ['two\nlines', '"two\nlines"'],
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', '-1'],
  ['-1.000001', '-1.000001'],
  ['-1+1', "'-1+1"],
  ['@sum', "'@sum"],
  ['\tx', "'\tx"],
  ['\rx', '"\'\rx"'],
  ['＝1', "'＝1"],
  ['=a,b', `"'=a,b"`],
  ['a=b', 'a=b'],
  ['充值', '充值'],
] as const) {
  test(`${JSON.stringify(cell, (_, value) => (typeof value === 'bigint' ? `${value}` : value))} is written as a cell`, () => {
    assert.equal(csvLine([cell]), `${written}\r\n`)
  })
}

test('a time is written on its local day, with and without summer time, and in UTC', () => {
  const at = (text: string, zone: string) => csvTimes(new Date(text), zone)
  assert.deepEqual(at('2026-11-30T20:05:06.789Z', 'Asia/Shanghai'), {
    local: '2026-12-01 04:05:06',
    utc: '2026-11-30T20:05:06Z',
  })
  assert.equal(at('2026-07-01T22:00:00Z', 'Europe/Berlin').local, '2026-07-02 00:00:00')
  assert.equal(at('2026-01-01T23:00:00Z', 'Europe/Berlin').local, '2026-01-02 00:00:00')
  assert.deepEqual(csvTimes(null, 'UTC'), { local: null, utc: null })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvLine } from '../../src/base/csv.ts'

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
  ['-1', "'-1"],
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

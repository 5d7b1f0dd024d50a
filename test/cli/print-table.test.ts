import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asTable } from '../../src/cli/print-table.ts'

const table = (...lines: string[]) => lines.join('\n')

test('texts stand left, numbers right, without quotes; what is missing is empty', () => {
  assert.equal(
    asTable([
      { id: '7', name: 'shop', usdt: '12.5', attempts: 3, next: null },
      { id: '12', name: "Bob's shop", usdt: '1000', attempts: undefined, next: '2026-11-22T10:30:00.000Z' },
    ]),
    table(
      'id  name        usdt  attempts  next',
      ' 7  shop        12.5         3',
      "12  Bob's shop  1000            2026-11-22T10:30:00.000Z",
    ),
  )
})

test('a column of some rows alone has its place, and one of numbers and words stands left', () => {
  assert.equal(
    asTable([
      { node: 'a', left: 'no quota' },
      { node: 'b', left: 12n, why: 'it lags' },
    ]),
    table('node  left      why', 'a     no quota', 'b     12        it lags'),
  )
})

test('wide characters count two columns, halfwidth ones one, combining ones none', () => {
  assert.equal(
    asTable([
      { name: '小店', n: 1 },
      { name: 'ｼｮｯﾌﾟ', n: 2 },
      { name: 'cafe\u0301', n: 3 },
      { name: '店🛒', n: 4 },
      { name: '（）', n: 5 },
      { name: '한글', n: 6 },
    ]),
    table('name   n', '小店   1', 'ｼｮｯﾌﾟ  2', 'cafe\u0301   3', '店🛒   4', '（）   5', '한글   6'),
  )
})

test('nothing in a cell or a name moves the cursor, ends the line or turns the text around', () => {
  const hostile = 'a\u001b[2J\r\n\tb\u0000\u009b\u202e\u2028\ud800\u{e0001}c'
  assert.equal(
    asTable([{ [hostile]: hostile }]),
    Array(2)
      .fill('a\\u{1b}[2J\\u{d}\\u{a}\\u{9}b\\u{0}\\u{9b}\\u{202e}\\u{2028}\\u{d800}\\u{e0001}c')
      .join('\n'),
  )
})

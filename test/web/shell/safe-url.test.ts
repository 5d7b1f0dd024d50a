import assert from 'node:assert/strict'
import { test } from 'node:test'
import { safeUrl } from '../../../src/web/shell/safe-url.ts'

test('http and https pass, as the parser writes them', () => {
  assert.equal(safeUrl('https://shop.example/a?b=c&d#e'), 'https://shop.example/a?b=c&d#e')
  assert.equal(safeUrl('HTTP://Shop.Example'), 'http://shop.example/')
  assert.equal(safeUrl('https://shop.example/"><script>'), 'https://shop.example/%22%3E%3Cscript%3E')
})

test('everything else gives no link', () => {
  const refused = [
    null,
    undefined,
    '',
    'javascript:alert(1)',
    ' JaVa\tScRiPt:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://shop.example/1',
    'file:///etc/passwd',
    '//shop.example',
    '/path',
    'shop.example',
    'https://',
    'tron:T',
  ]
  for (const text of refused) assert.equal(safeUrl(text), undefined, `${text}`)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMailAddress } from '../../src/notices/notice.ts'
import { readEmail, readName } from '../../src/people/user-store.ts'

test('a mail address is kept in lower case, and can be sent to', () => {
  for (const [text, email] of [
    [' Ada@Example.COM ', 'ada@example.com'],
    ['张三@例子.公司', '张三@例子.公司'],
    ['a+b.c_d-e@sub.example', 'a+b.c_d-e@sub.example'],
  ] as const) {
    assert.equal(readEmail(text), email)
    assert(isMailAddress(email))
  }
})

test('what is no mail address, or looks like another one, is refused', () => {
  const hidden = [
    '\u200b',
    '\u00ad',
    '\u202e',
    '\u2066',
    '\ufeff',
    '\u0085',
    '\u2028',
    '\u00a0',
    '\0',
    '\ud800',
  ]
  for (const text of [
    ...['', 'ada', '@example.com', 'ada@', 'a@b@c', 'a b@example.com', 'a<b>@example.com', 'a,b@example.com'],
    ...hidden.flatMap(one => [`ad${one}a@example.com`, `ada@exam${one}ple.com`]),
    ...[`${'a'.repeat(65)}@example.com`, `ada@${'a'.repeat(251)}`],
  ])
    assert.equal(readEmail(text), null, JSON.stringify(text))
})

test('a name is one line, and pretends to be nobody else', () => {
  assert.equal(readName('  Ada Lovelace '), 'Ada Lovelace')
  assert.equal(readName('نسیم\u200cرضا'), 'نسیم\u200cرضا')
  for (const name of ['', ' ', 'a\nb', 'Root <root@example.com>', '\u202emoc.elpmaxe', 'a'.repeat(101)])
    assert.equal(readName(name), null, JSON.stringify(name))
})

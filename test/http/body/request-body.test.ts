import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFormParameters } from '../../../src/http/body/form-parameters.ts'
import { readJsonParameters } from '../../../src/http/body/json-parameters.ts'
import type { Parameters } from '../../../src/http/body/parameters.ts'

const plain = (parameters: Parameters) => ({ ...parameters })
const refused = { code: 'bad_request' }

const jsonBodies: [string, Record<string, string>][] = [
  ['{}', {}],
  [' \r\n\t{ } \n', {}],
  ['{"a":"1","b":"2"}', { a: '1', b: '2' }],
  ['{ "a" : "x y" ,\n"b" : "" }', { a: 'x y', b: '' }],
  ['{"a":3,"b":-3,"c":0,"d":9007199254740991}', { a: '3', b: '-3', c: '0', d: '9007199254740991' }],
  ['{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u7528\\ud83d\\ude00"}', { a: '"\\/\b\f\n\r\tA用😀' }],
  ['{"a":"用户 é😀"}', { a: '用户 é😀' }],
  ['{"\\u0061b":"1"}', { ab: '1' }],
  ['{"a":"{\\"b\\":[1]}"}', { a: '{"b":[1]}' }],
  [
    '{"toString":"1","valueOf":"2","hasOwnProperty":"3"}',
    { toString: '1', valueOf: '2', hasOwnProperty: '3' } as never,
  ],
]

for (const [body, parameters] of jsonBodies) {
  test(`JSON that is read: ${JSON.stringify(body)}`, () => {
    assert.deepEqual(plain(readJsonParameters(body)), plain(parameters))
  })
}

const notJson = [
  '',
  ' ',
  'a=1',
  '[]',
  '["a"]',
  '"a"',
  '1',
  'null',
  '{',
  '}',
  '{"a"}',
  '{"a":}',
  '{"a":"1"',
  '{"a":"1",}',
  '{,"a":"1"}',
  '{"a":"1" "b":"2"}',
  '{"a" "1"}',
  "{'a':'1'}",
  '{a:"1"}',
  '{"a":"1"}}',
  '{"a":"1"} x',
  '{"a":"1"}{"a":"1"}',
  '\uFEFF{"a":"1"}',
  '{"a":"1\n2"}',
  '{"a":"\u0000"}',
  '{"a":"\\x41"}',
  '{"a":"\\u12"}',
  '{"a":"1',
  '// comment\n{"a":"1"}',
]
const notParameters = [
  '{"a":null}',
  '{"a":true}',
  '{"a":false}',
  '{"a":{}}',
  '{"a":{"b":"1"}}',
  '{"a":[]}',
  '{"a":["1"]}',
  `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`,
  '{"a":1.5}',
  '{"a":1.0}',
  '{"a":1e3}',
  '{"a":1E3}',
  '{"a":-0}',
  '{"a":01}',
  '{"a":+1}',
  '{"a":.5}',
  '{"a":1.}',
  '{"a":0x10}',
  '{"a":NaN}',
  '{"a":Infinity}',
  '{"a":9007199254740992}',
  '{"a":-9007199254740992}',
  '{"a":123456789012345678901234567890}',
  '{"a":"1","a":"1"}',
  '{"a":"1","a":"2"}',
  '{"a":"1","\\u0061":"2"}',
  '{"":"1"}',
  '{"a b":"1"}',
  '{"a-b":"1"}',
  '{"a[]":"1"}',
  '{"é":"1"}',
  `{"${'a'.repeat(65)}":"1"}`,
  '{"__proto__":"1"}',
  '{"__proto__":{"admin":true}}',
  '{"\\u005f_proto__":"1"}',
  '{"constructor":"1"}',
  '{"prototype":"1"}',
  '{"a":"\\ud800"}',
  '{"a":"\\udc00\\ud800"}',
  '{"a":"x\\ud83d"}',
]

for (const body of [...notJson, ...notParameters]) {
  test(`JSON that is refused: ${JSON.stringify(body).slice(0, 60)}`, () => {
    assert.throws(() => readJsonParameters(body), refused)
  })
}

const formBodies: [string, Record<string, string>][] = [
  ['', {}],
  ['a=1', { a: '1' }],
  ['a=1&b=2&', { a: '1', b: '2' }],
  ['a=1&&b=2', { a: '1', b: '2' }],
  ['a', { a: '' }],
  ['a=', { a: '' }],
  ['a=b=c', { a: 'b=c' }],
  ['a=x+y&b=x%20y&c=x%2By', { a: 'x y', b: 'x y', c: 'x+y' }],
  ['a=%E7%94%A8%E6%88%B7%20%C3%A9%F0%9F%98%80', { a: '用户 é😀' }],
  ['a=用户', { a: '用户' }],
  ['%61=1', { a: '1' }],
]

for (const [body, parameters] of formBodies) {
  test(`a form that is read: ${JSON.stringify(body)}`, () => {
    assert.deepEqual(plain(readFormParameters(body)), parameters)
  })
}

const notForms = [
  'a=1&a=1',
  'a=1&a=2',
  'a=1&%61=2',
  'a=%',
  'a=%4',
  'a=%zz',
  'a=%u7528',
  '%=1',
  'a=%ff',
  'a=%C3',
  'a=%C0%80',
  'a=%ED%A0%80',
  '=1',
  'a[]=1',
  'a.b=1',
  'a%20b=1',
  '\uFEFFa=1',
  '__proto__=1',
  'constructor=1',
  'prototype=1',
  `${'a'.repeat(65)}=1`,
]

for (const body of notForms) {
  test(`a form that is refused: ${JSON.stringify(body).slice(0, 60)}`, () => {
    assert.throws(() => readFormParameters(body), refused)
  })
}

test('no body reaches the prototype of anything', () => {
  assert.equal(Object.getPrototypeOf(readJsonParameters('{}')), null)
  assert.equal(Object.getPrototypeOf(readFormParameters('')), null)
  assert.equal(({} as Record<string, unknown>).admin, undefined)
})

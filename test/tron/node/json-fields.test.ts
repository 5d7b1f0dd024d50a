import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFieldReader, type Fields } from '../../../src/tron/node/json-fields.ts'
import { readBlock, readBlockFields } from '../../../src/tron/node/node-answers.ts'
import { recorded, recordedNames, skipWithoutRecorded } from '../recorded.ts'
import { token as usdt } from '../verify/block-messages.ts'

// The reader is held against JSON.parse on the same bytes: what it gives is what JSON.parse gives, less what was not asked
// for, or both refuse.
const fields: Fields = {
  id: 'whole',
  list: [{ id: 'whole', log: ['whole'] }],
  inner: { id: 'whole', list: ['whole'] },
}
const read = createFieldReader(fields)
const names = fc.constantFrom('id', 'list', 'inner', 'log', 'other', 'i', 'ids', 'ünï', 'a "quoted" name', '')
const scalar = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.stringMatching(/^[0-9a-f]{0,90}$/),
  fc.stringMatching(/^[0-9a-f]{0,40}[é"\\\n€]?[0-9a-f]{0,40}$/),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
)
const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(names, tie('value'), { maxKeys: 5 }),
  ),
}))
/** JSON of a value, in one of the ways it may be written. */
const text = fc
  .tuple(value, fc.constantFrom(undefined, 1, '\t', '\r\n'), fc.boolean())
  .map(([any, indent, escaped]) => {
    const json = JSON.stringify(any, null, indent as string) ?? 'null'
    if (!escaped) return json
    return json.replace(
      /[a-z\u0080-\uffff](?=[^"]{0,3}":)/g,
      c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  })

test('of any JSON, what is asked for is what JSON.parse gives of it', () => {
  fc.assert(
    fc.property(text, fc.nat(3), (json, offset) => {
      assert.deepEqual(read(bytesOf(json, offset)), pick(JSON.parse(json), fields, true))
    }),
    { numRuns: 1000 },
  )
})

test('of any bytes that were JSON before they were cut or changed, both read the same or both refuse', () => {
  const change = fc.record({ at: fc.nat(), drop: fc.nat(2), put: fc.uint8Array({ maxLength: 2 }) })
  const damaged = fc.tuple(text, fc.array(change, { minLength: 1, maxLength: 2 }), fc.nat(), fc.boolean())
  fc.assert(
    fc.property(damaged, ([json, changes, end, isCut]) => {
      let bytes = Buffer.from(json)
      for (const { at, drop, put } of changes) {
        const place = at % (bytes.length + 1)
        bytes = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + drop)])
      }
      if (isCut) bytes = bytes.subarray(0, end % (bytes.length + 1))
      sameAsParse(bytes)
    }),
    { numRuns: 3000 },
  )
})

const oddTexts = [
  '',
  ' ',
  '{',
  '[',
  '{}',
  '[]',
  '{}}',
  '[]]',
  '{} {}',
  '{,}',
  '[,]',
  '[1,]',
  '{"id":1,}',
  '{"id"}',
  '{"id":}',
  '{id:1}',
  "{'id':1}",
  '{"id":1 "list":[]}',
  '[1 2]',
  '"',
  '"a',
  '"\\',
  '"\\"',
  '"\\x"',
  '"\\u12g4"',
  '"\\u123"',
  '"\\u00e9"',
  '"a\nb"',
  '"a\u0000b"',
  '"a\u001fb"',
  '"a\u007fb"',
  '"\\ud800"',
  '"é"',
  '01',
  '-01',
  '1.',
  '.5',
  '-',
  '--1',
  '+1',
  '1e',
  '1e+',
  '1E-7',
  '-0',
  '1.5e300',
  '1e999',
  '0x10',
  '1_0',
  'NaN',
  'Infinity',
  'nul',
  'nulll',
  'true',
  'truE',
  'fals',
  'false',
  '\u00a0{}',
  '\v{}',
  '\ufeff{}',
  '{}\u0000',
  '// {}',
  '{"\\u0069d":5}',
  '{"id\u0000":5}',
  '{"i":{"id":01}}',
  '{"i":["\t"]}',
  '{"id":1,"i":"0123456789abcdef0123456789\u0001bcdef"}',
  '{"i":"0123456789abcdef0123456789\\qbcdef"}',
  '{"id":"a\\/b"}',
  ...['é', '\\n', '\\"', '\\q', '\\u00', '"', '\n', '\u001f'].map(
    odd => `"0123456789abcdef0123456789${odd}0123456789"`,
  ),
]
for (const json of oddTexts) {
  test(`${JSON.stringify(json)} is read, kept and passed over, as JSON.parse takes it`, () => {
    for (const around of [json, `{"id":${json}}`, `{"id":1,"other":${json}}`, `[${json}]`]) {
      for (const offset of [0, 1, 2, 3]) sameAsParse(bytesOf(around, offset))
    }
  })
}

test('bytes that are not UTF-8 are read as JSON.parse reads their text', () => {
  for (const bytes of [[0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98]]) {
    for (const [before, after] of [
      ['{"id":"', '"}'],
      ['{"other":"', '"}'],
      ['{"', '":1}'],
      ['{"id":1', '}'],
    ]) {
      sameAsParse(Buffer.concat([Buffer.from(before!), Buffer.from(bytes), Buffer.from(after!)]))
    }
  }
})

test('a name that is asked for and comes twice is refused: nobody can say which one is meant', () => {
  for (const json of ['{"id":1,"id":1}', '{"id":1,"\\u0069d":1}', '{"list":[{"id":1,"x":2,"id":3}]}']) {
    assert.throws(() => read(Buffer.from(json)), /comes twice/)
  }
  assert.deepEqual(read(Buffer.from('{"id":1,"x":2,"x":3,"list":[{"x":{"id":1},"id":1}]}')), {
    id: 1,
    list: [{ id: 1 }],
  })
})

test('an object that has nothing of what is asked for does not pass for an empty one', () => {
  assert.deepEqual(read(Buffer.from('{}')), {})
  assert.deepEqual(read(Buffer.from(' {"message":"try later"} ')), { message: 'try later' })
})

test('what lies deeper than any answer is refused, however much of it there is', () => {
  const deep = (levels: number) => Buffer.from(`{"other":${'['.repeat(levels)}${']'.repeat(levels)},"id":1}`)
  assert.deepEqual(read(deep(60)), { id: 1 })
  assert.throws(() => read(deep(64)), SyntaxError)
  assert.throws(() => read(deep(1_000_000)), SyntaxError)
})

test('of each recorded block, the fields are enough', { skip: skipWithoutRecorded }, () => {
  const blocks = recordedNames()
    .filter(name => /^get(now)?block(bynum)?\./.test(name))
    .map(name => recorded(name))
  assert(blocks.length >= 4)
  for (const block of blocks) {
    const read = readBlockFields(Buffer.from(JSON.stringify(block)))
    for (const token of [usdt, null]) assert.deepEqual(readBlock(read, token), readBlock(block, token))
  }
})

/** The bytes at an offset: they are read four at a time, from wherever they begin. */
function bytesOf(json: string, offset: number): Buffer {
  const bytes = Buffer.from(json)
  const room = Buffer.alloc(bytes.length + offset)
  bytes.copy(room, offset)
  return room.subarray(offset)
}

function sameAsParse(bytes: Buffer): void {
  let expected: { parsed: unknown } | null = null
  try {
    expected = { parsed: JSON.parse(bytes.toString()) }
  } catch {
    // No JSON: the reader has to say so too.
  }
  if (!expected) {
    assert.throws(() => read(bytes), SyntaxError)
    return
  }
  try {
    assert.deepEqual(read(bytes), pick(expected.parsed, fields, true))
  } catch (error) {
    // Damage may make one name into another; that the reader is stricter there has its own test.
    if (!/comes twice/.test((error as Error).message)) throw error
  }
}

function pick(any: unknown, wanted: Fields, isTop = false): unknown {
  if (wanted === 'whole' || typeof any !== 'object' || any === null) return any
  if (Array.isArray(wanted)) return Array.isArray(any) ? any.map(element => pick(element, wanted[0])) : any
  if (Array.isArray(any)) return any
  const kept: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(wanted)) {
    if (Object.hasOwn(any, name)) kept[name] = pick((any as Record<string, unknown>)[name], inner)
  }
  return isTop && Object.keys(kept).length === 0 ? any : kept
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MessageError, MessageFields } from '../../src/tron/message-fields.ts'
import { encodeProtobuf, type ProtobufField } from '../../src/tron/protobuf.ts'

test('the fields of a message come in order, and what is not asked for is passed over', () => {
  const inner = encodeProtobuf([[3, 7]])
  const message = Buffer.concat([
    encodeProtobuf([
      [1, 300],
      [2, 'text'],
      [3, inner],
    ]),
    hex('21 0102030405060708'), // field 4, 64 bits
    hex('2d 01020304'), // field 5, 32 bits
    hex('33 08 05 33 34 34'), // group 6: a number and a group
    encodeProtobuf([[1002, 1]]),
  ])
  const fields = new MessageFields(message)
  const seen = []
  while (fields.next()) seen.push([fields.number, fields.wireType, fields.end - fields.start])
  assert.deepEqual(seen, [
    [1, 0, 2],
    [2, 2, 4],
    [3, 2, inner.length],
    [4, 1, 8],
    [5, 5, 4],
    [6, 3, 5],
    [1002, 0, 1],
  ])
})

test('numbers are read up to 2^53 - 1, and bytes are slices of the message', () => {
  for (const value of [1, 127, 128, 300, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
    assert.equal(only(encodeProtobuf([[1, value]])).integer(), value)
  }
  const message = encodeProtobuf([[9, 'abc']])
  const bytes = only(message).bytes()
  assert.equal(bytes.toString(), 'abc')
  assert.equal(bytes.buffer, message.buffer)
  assert.equal(only(message).nested().buffer, message)
  // Longer than it must be, which java-tron reads too.
  assert.equal(only(hex('08 80808000')).integer(), 0)
})

const broken: [string, string][] = [
  ['cut off in a number', '08 80'],
  ['cut off in a field number', '80'],
  ['cut off before a number', '08'],
  ['cut off before a length', '0a'],
  ['cut off in a length', '0a 80'],
  ['a length beyond the end', '0a 02 00'],
  ['a length of 2^63', '0a 80808080808080808001'],
  ['64 bits cut off', '09 00000000000000'],
  ['32 bits cut off', '0d 000000'],
  ['field number 0', '00 01'],
  ['field number 0 with bytes', '02 00'],
  ['a field number of more than 29 bits', '80 80 80 80 10 01'],
  ['a field number in six bytes', '88 80 80 80 80 00 01'],
  ['a number of eleven bytes', '08 8080808080808080808001'],
  ['a group without its end', '0b 08 01'],
  ['a group with the end of another', '0b 14'],
  ['the end of a group that did not begin', '0c'],
  ['groups too deep', `${'0b'.repeat(101)}${'0c'.repeat(101)}`],
  ['wire type 6', '0e 00'],
  ['wire type 7', '0f 00'],
  ['wire type 7 in a group', '0b 0f 00 0c'],
]
for (const [what, bytes] of broken) {
  test(`a message is refused: ${what}`, () => {
    assert.throws(() => passAll(new MessageFields(hex(bytes))), MessageError)
  })
}

test('groups as deep as java-tron reads them are passed over', () => {
  assert.equal(only(hex(`${'0b'.repeat(100)}${'0c'.repeat(100)}`)).wireType, 3)
})

test('a field is refused where it is read as another type, and a number beyond 2^53 - 1', () => {
  assert.throws(() => only(hex('0a 00')).integer(), MessageError)
  assert.throws(() => only(hex('08 00')).bytes(), MessageError)
  assert.throws(() => only(hex('0b 0c')).bytes(), MessageError)
  assert.throws(() => only(hex('0d 00000000')).nested(), MessageError)
  assert.throws(() => only(hex('08 ffffffffffffffffff01')).integer(), MessageError, '-1')
  assert.throws(() => only(hex('08 8080808080808010')).integer(), MessageError, '2^53')
})

test('a nested message ends where its length says', () => {
  // The inner number goes on beyond the inner message: 08 80, followed by 01 of the outer.
  const fields = only(hex('0a 02 08 80'), hex('08 01'))
  assert.throws(() => passAll(fields.nested()), MessageError)
  const lengthBeyond = only(hex('0a 02 0a 02'), hex('08 01'))
  assert.throws(() => passAll(lengthBeyond.nested()), MessageError)
  assert.throws(() => new MessageFields(hex('0800'), 1, 3), MessageError)
  assert.throws(() => new MessageFields(hex('0800'), 2, 1), MessageError)
})

test('whatever the bytes, the reader ends, and throws nothing but its own error', () => {
  const anyBytes = fc.uint8Array({ maxLength: 200 })
  // Mostly small values, so that more than the first field is reached.
  const likely = fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 255 })), {
    maxLength: 200,
  })
  fc.assert(
    fc.property(fc.oneof(anyBytes, likely), bytes => {
      const message = Buffer.from(bytes)
      try {
        assert.ok(visitAll(new MessageFields(message), 0) <= message.length)
      } catch (error) {
        if (!(error instanceof MessageError)) throw error
      }
    }),
    { numRuns: 3_000 },
  )
})

test('what the encoder writes is read back, and any cut of it is refused or ends between two fields', () => {
  const field: fc.Arbitrary<ProtobufField> = fc.tuple(
    fc.integer({ min: 1, max: 2 ** 29 - 1 }),
    fc.oneof(
      fc.maxSafeNat().map(n => n || 1),
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
    ),
  )
  fc.assert(
    fc.property(fc.array(field, { maxLength: 10 }), fc.nat(), (written, cut) => {
      const message = encodeProtobuf(written)
      assert.deepEqual(
        readAll(message),
        written.map(([number, value]) => [number, plain(value)]),
      )
      const shorter = message.subarray(0, cut % (message.length + 1))
      try {
        const read = readAll(shorter)
        assert.equal(encodeProtobuf(written.slice(0, read.length)).length, shorter.length)
      } catch (error) {
        assert.ok(error instanceof MessageError)
      }
    }),
  )
})

/** Moves to the first field. */
function only(...parts: Buffer[]): MessageFields {
  const fields = new MessageFields(Buffer.concat(parts))
  // With one part its buffer itself, to see that nothing is copied.
  const reader = parts.length === 1 ? new MessageFields(parts[0]!) : fields
  assert.equal(reader.next(), true)
  return reader
}

function passAll(fields: MessageFields): void {
  while (fields.next());
}

/** Reads every field in every way. @returns how many fields there were at this level. */
function visitAll(fields: MessageFields, depth: number): number {
  let count = 0
  while (fields.next()) {
    count++
    assert.ok(fields.start <= fields.end && fields.end <= fields.buffer.length)
    for (const read of [() => fields.integer(), () => fields.bytes()]) {
      try {
        read()
      } catch (error) {
        if (!(error instanceof MessageError)) throw error
      }
    }
    if (fields.wireType !== 2 || depth > 8) continue
    try {
      visitAll(fields.nested(), depth + 1)
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
    }
  }
  return count
}

function readAll(message: Buffer): [number, number | string][] {
  const fields = new MessageFields(message)
  const found: [number, number | string][] = []
  while (fields.next()) {
    found.push([fields.number, fields.wireType === 0 ? fields.integer() : fields.bytes().toString('hex')])
  }
  return found
}

function plain(value: ProtobufField[1]): number | string {
  return typeof value === 'number' ? value : Buffer.from(value as Uint8Array).toString('hex')
}

function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex')
}

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { interfaceOf, typeFile } from '../../clients/typescript/generate/type-file.ts'

test('the types of the TypeScript client are those of the OpenAPI document as it is now', async () => {
  const written = await readFile(
    new URL('../../clients/typescript/src/api-types.ts', import.meta.url),
    'utf8',
  )
  assert.equal(written, typeFile(), 'run `npm run client-types`')
})

test('a field is optional unless it is required, and says what the schema says of it', () => {
  const schema = {
    type: 'object',
    required: ['when', 'states'],
    properties: {
      when: { anyOf: [{ type: 'integer', description: 'When it */ was' }, { type: 'null' }] },
      states: { type: 'array', items: { enum: ['due', 'held'] } },
      label: { type: 'string' },
    },
  }
  const lines = [
    'export interface Thing {',
    '  /** When it *\\/ was. */',
    '  when: number | null',
    "  states: ('due' | 'held')[]",
    '  label?: string',
    '}\n',
  ]
  assert.equal(interfaceOf('Thing', schema), lines.join('\n'))
})

test('what the generator does not know is refused, never left out', () => {
  const field = (schema: object) => () =>
    interfaceOf('Thing', { type: 'object', properties: { field: schema } })
  assert.throws(field({ $ref: '#/components/schemas/Other' }), /\$ref/)
  assert.throws(field({ allOf: [{ type: 'string' }] }), /allOf/)
  assert.throws(field({ type: 'date' }), /no type date/)
  assert.throws(field({}), /no type undefined/)
})

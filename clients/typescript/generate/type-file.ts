import assert from 'node:assert/strict'
import { type AppOptions, merchantEndpoints } from '../../../src/http/app.ts'
import { apiDocument } from '../../../src/http/docs/api-document.ts'

/** What our schemas are made of; a keyword that is not here says nothing a type could. */
interface Schema {
  type?: string
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  enum?: unknown[]
  const?: unknown
}

/** What one line holds; the linter wants it so. */
const lineWidth = 110
/** What we cannot turn into a type; to leave it out would be a type that lies. */
const beyondUs = ['$ref', 'allOf', 'oneOf', 'not', 'patternProperties', 'prefixItems']

/**
 * The client's src/api-types.ts, whole: an interface for each schema of the OpenAPI document, its fields with their
 * descriptions. A generator of our own: our schemas use few constructs, and json-schema-to-typescript makes twice the text
 * of them, comments on comments, index signatures that let every misspelt name pass, and brings a formatter along.
 */
export function typeFile(): string {
  // Described, not opened: no database is asked.
  const endpoints = merchantEndpoints({ config: { callbackAllowedNetworks: [] as string[] } } as AppOptions)
  const { schemas } = apiDocument(endpoints).components as { schemas: Record<string, Schema> }
  const interfaces = Object.entries(schemas).map(([name, schema]) => interfaceOf(name, schema))
  return [
    "// The gateway's OpenAPI document (/docs/json) as types, one for each of its schemas. Written by `npm run client-types`,\n" +
      '// and not to be changed by hand. Fields may be added to it, none is ever removed.\n',
    ...interfaces,
  ].join('\n')
}

/** @throws AssertionError for what it cannot turn into a type. */
export function interfaceOf(name: string, schema: Schema): string {
  return `export interface ${name} ${typeOf(schema, '')}\n`
}

/** On one line, but for the fields of an object. */
function typeOf(schema: Schema, indent: string): string {
  const strange = beyondUs.filter(keyword => keyword in schema)
  assert.deepEqual(strange, [], 'keywords that the generator does not know yet')
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum) return schema.enum.map(literal).join(' | ')
  if (schema.anyOf) return schema.anyOf.map(one => typeOf(one, indent)).join(' | ')
  if (schema.type === 'array') return arrayOf(typeOf(schema.items!, indent))
  if (schema.type === 'object') return objectOf(schema, indent)
  return plainTypeOf(schema.type)
}

function arrayOf(type: string): string {
  return / \| /.test(type) && !type.startsWith('{') ? `(${type})[]` : `${type}[]`
}

function plainTypeOf(type: string | undefined): string {
  if (type === 'integer') return 'number'
  assert.ok(['string', 'number', 'boolean', 'null'].includes(type!), `the generator knows no type ${type}`)
  return type!
}

/** Only the names that are there, though any others may come: a name that is misspelt shall be an error. */
function objectOf({ properties = {}, required = [] }: Schema, indent: string): string {
  const fields = Object.entries(properties).map(([name, schema]) =>
    fieldOf(required.includes(name) ? name : `${name}?`, schema, `${indent}  `),
  )
  return `{\n${fields.join('')}${indent}}`
}

function fieldOf(name: string, schema: Schema, indent: string): string {
  const description = schema.description ?? schema.anyOf?.[0]?.description
  const comment = description ? `${indent}/** ${sentence(description)} */\n` : ''
  const line = `${indent}${name}: ${typeOf(schema, indent)}\n`
  if (!schema.enum || line.length <= lineWidth) return comment + line
  return `${comment}${indent}${name}:${schema.enum.map(value => `\n${indent}  | ${literal(value)}`).join('')}\n`
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}

function sentence(description: string): string {
  return `${description}${/[.…]$/.test(description) ? '' : '.'}`.replaceAll('*/', '*\\/')
}

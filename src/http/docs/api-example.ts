import type { TSchema } from 'typebox'

/**
 * An example of what a schema describes, put together from the examples of its fields.
 * @param optionalToo whether fields that may be left out are in it.
 * @throws when a field that has to be in it has no example, which a test would see.
 */
export function exampleOf(schema: TSchema, optionalToo: boolean): unknown {
  // The schemas are ours; their keywords are JSON Schema's.
  const { examples, const: constant, type, properties, required = [], items, anyOf } = schema as never as Json
  if (examples) return examples[0]
  if (constant !== undefined) return constant
  if (type === 'array') return [exampleOf(items!, optionalToo)]
  if (anyOf) return exampleOf(anyOf[0]!, optionalToo)
  if (type !== 'object' || !properties) throw new Error(`no example in ${JSON.stringify(schema)}`)
  const fields = Object.entries(properties).filter(([name]) => optionalToo || required.includes(name))
  return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field, optionalToo)]))
}

interface Json {
  examples?: unknown[]
  const?: unknown
  type?: string
  properties?: Record<string, TSchema>
  required?: string[]
  items?: TSchema
  anyOf?: TSchema[]
}

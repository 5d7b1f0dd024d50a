import type { TSchema } from 'typebox'

/**
 * Makes an example of a schema from the examples of its fields.
 * @param optionalToo whether it includes optional fields.
 * @throws when a field has no example; a test finds this.
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

import assert from 'node:assert/strict'
import { Value } from 'typebox/value'
import { eventSchemas } from '../../src/callbacks/event-schemas.ts'
import type { EventName } from '../../src/merchants/event-names.ts'

/** Holds an event's fields, as they are in the database, to what the OpenAPI document says of it. */
export function assertDescribed(fields: Record<string, string>): void {
  const schema = eventSchemas[fields.event as EventName]
  const sent = { ...fields, appid: 'a', t: '1', sign: 'A' }
  assert.deepEqual(Object.keys(sent).sort(), Object.keys(schema.properties).sort())
  assert.ok(Value.Check(schema, sent))
}

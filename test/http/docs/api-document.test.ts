import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import type { TObject, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { type ErrorCode, errorCodes } from '../../../src/base/errors.ts'
import { callbackSchema, depositSchema, fullCallbackSchema } from '../../../src/callbacks/callback-schemas.ts'
import { eventSchemas } from '../../../src/callbacks/event-schemas.ts'
import { depositFacts } from '../../../src/callbacks/outbox/deposit.ts'
import { callbackBody } from '../../../src/callbacks/sending/callback-body.ts'
import { merchantEndpoints } from '../../../src/http/app.ts'
import { answerSchema } from '../../../src/http/body/envelope.ts'
import { commonRefusals } from '../../../src/http/docs/api-document.ts'
import { exampleOf } from '../../../src/http/docs/api-example.ts'
import { signParameters } from '../../../src/merchants/signature.ts'
import { parametersSchema } from '../../../src/requests/merchant-parameters.ts'
import { openApiUnderTest } from '../../support/api-under-test.ts'
import { shownCallback } from '../shown-callback.ts'

const api = await openApiUnderTest({})
const endpoints = merchantEndpoints(api.options)
// biome-ignore lint/suspicious/noExplicitAny: a document, looked into.
const document: any = (await api.app.inject('/docs/json')).json()

test('an independent linter finds nothing wrong with the OpenAPI document', async () => {
  const config = await createConfig({ extends: ['recommended-strict'] })
  const problems = await lintFromString({ source: JSON.stringify(document), config })
  assert.deepEqual(
    problems.map(({ ruleId, message, location }) => ({ ruleId, message, at: location[0]?.pointer })),
    [],
  )
  assert.match(document.openapi, /^3\.1\./)
})

test('every endpoint there is stands in it, with its own schemas', () => {
  const paths = endpoints.map(endpoint => `/api/merchant/${endpoint.name}`)
  assert.deepEqual(Object.keys(document.paths), paths)
  for (const endpoint of endpoints) {
    const { requestBody } = document.paths[`/api/merchant/${endpoint.name}`].post
    const name = requestBody.content['application/json'].schema.$ref.split('/').at(-1)
    const schema = document.components.schemas[name]
    assert.deepEqual(Object.keys(schema.properties).sort(), Object.keys(parametersOf(endpoint)).sort())
    assert.deepEqual(schema.required, [...parametersSchema(endpoint).required])
  }
})

test('t and nonce are marked as required where nothing is answered without them', () => {
  for (const endpoint of endpoints) {
    const { description } = document.paths[`/api/merchant/${endpoint.name}`].post
    for (const name of ['t', 'nonce']) {
      const [, required] = new RegExp(`^\\| \`${name}\` \\| (\\w*) \\|`, 'm').exec(description)!
      assert.equal(required, endpoint.replay === 'once' ? 'yes' : '', `${endpoint.name} ${name}`)
    }
  }
})

test('every field has a description and an example, and the examples are such as the schemas take', () => {
  for (const endpoint of endpoints) {
    describedThroughout(parametersSchema(endpoint), endpoint.name)
    describedThroughout(endpoint.data, `${endpoint.name}.data`)
    const answer = exampleOf(answerSchema(endpoint.data), true)
    assert.ok(Value.Check(answerSchema(endpoint.data), answer), endpoint.name)
    const { example } =
      document.paths[`/api/merchant/${endpoint.name}`].post.requestBody.content[
        'application/x-www-form-urlencoded'
      ]
    assert.ok(Value.Check(parametersSchema(endpoint), example), endpoint.name)
  }
  describedThroughout(callbackSchema, 'callback')
  describedThroughout(fullCallbackSchema, 'callback, full')
  describedThroughout(depositSchema, 'deposit')
  for (const [event, schema] of Object.entries(eventSchemas)) {
    describedThroughout(schema, event)
    assert.ok(Value.Check(schema, exampleOf(schema, true)), event)
  }
})

test('the examples are signed rightly', () => {
  const [, key] = /signed with the key `(\w+)`/.exec(document.info.description)!
  for (const { name } of endpoints) {
    const { sign, ...parameters } =
      document.paths[`/api/merchant/${name}`].post.requestBody.content['application/json'].example
    assert.equal(signParameters('hmac-sha256', name, parameters, key!), sign)
  }
})

test('every error code is in the table, and every endpoint shows those it may answer with', () => {
  for (const [code, { status, meaning }] of Object.entries(errorCodes)) {
    assert.ok(document.tags.at(-1).description.includes(`| \`${code}\` | ${status} | ${meaning} |`), code)
  }
  for (const endpoint of endpoints) {
    const { responses } = document.paths[`/api/merchant/${endpoint.name}`].post
    const shown = Object.values(responses).flatMap(response =>
      // biome-ignore lint/suspicious/noExplicitAny: a document, looked into.
      Object.keys((response as any).content['application/json'].examples ?? {}),
    )
    assert.deepEqual(shown.sort(), [...commonRefusals, ...endpoint.refusals].sort())
    for (const code of shown) assert.ok(responses[errorCodes[code as ErrorCode].status], code)
    const retried = Object.keys(responses).filter(status => responses[status].headers?.['Retry-After'])
    assert.deepEqual(retried, ['429', '503'], 'Retry-After is where it comes')
    for (const status of Object.keys(responses)) assert.ok(responses[status].headers['X-Request-Id'], status)
  }
})

test('a callback as it is sent is what the document says of it', () => {
  const key = { scheme: 'hmac-sha256' as const, key: 'k' }
  const deposit = depositFacts({ ...shownCallback, address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6' })
  for (const [fields, schema, facts] of [
    ['six', callbackSchema, shownCallback],
    ['full', fullCallbackSchema, shownCallback],
    ['full', depositSchema, deposit],
  ] as const) {
    const merchant = { appid: 'VunTq7Zk2Lm9h1l8', callbackFields: fields, callbackFormat: 'json' as const }
    const body = JSON.parse(callbackBody(facts, merchant, key, 1662299959).text)
    assert.ok(Value.Check(schema, body))
    assert.deepEqual(Object.keys(body).sort(), Object.keys(schema.properties).sort())
  }
})

test('the page is served, lets nothing in from elsewhere, and reads the document', async () => {
  const page = await api.app.inject('/docs')
  assert.equal(page.statusCode, 200)
  assert.match(page.headers['content-type'] as string, /^text\/html/)
  assert.doesNotMatch(page.body, /(src|href)="https?:/)
  const scripts = [...page.body.matchAll(/(?:src|href)="\.?([^"]+)"/g)].map(([, path]) => path!)
  assert.ok(scripts.length > 3)
  for (const path of [
    '/docs',
    '/docs/json',
    ...scripts.map(path => new URL(path, 'http://h/docs/').pathname),
  ]) {
    const { statusCode, headers } = await api.app.inject(path)
    assert.equal(statusCode, 200, path)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /default-src 'self'; .*frame-ancestors 'none'/)
    // Nor may it be told to fetch its own scripts by https: a sandbox has none.
    assert.doesNotMatch(policy, /https?:|unsafe|upgrade-insecure|[a-z]\.[a-z]/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
  }
  const settings = await api.app.inject('/docs/static/swagger-initializer.js')
  assert.match(settings.body, /"validatorUrl":null/, 'it shows the document to nobody')
})

function parametersOf(endpoint: { parameters: TObject }): Record<string, TSchema> {
  return parametersSchema(endpoint).properties
}

/** Fails on the first field without a description or an example, naming it. */
function describedThroughout(schema: TSchema, name: string): void {
  const { properties, items, anyOf, description, examples } = schema as {
    properties?: Record<string, TSchema>
    items?: TSchema
    anyOf?: TSchema[]
    description?: string
    examples?: unknown[]
  }
  if (properties) {
    for (const [field, inner] of Object.entries(properties)) describedThroughout(inner, `${name}.${field}`)
  } else if (items) describedThroughout(items, `${name}[]`)
  else if (anyOf) describedThroughout(anyOf[0]!, name)
  else {
    assert.ok(description, `${name}: no description`)
    assert.ok(examples, `${name}: no example`)
  }
}

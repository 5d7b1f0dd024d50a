import { STATUS_CODES } from 'node:http'
import type Type from 'typebox'
import type { TObject, TSchema } from 'typebox'
import { type ErrorCode, errorCodes } from '../../base/errors.ts'
import { productVersion } from '../../base/version.ts'
import { callbackSchema, depositSchema, fullCallbackSchema } from '../../callbacks/callback-schemas.ts'
import { eventSchemas } from '../../callbacks/event-schemas.ts'
import { type SignedParameters, signParameters } from '../../merchants/signature.ts'
import type { Endpoint } from '../../requests/endpoint.ts'
import { parametersSchema } from '../../requests/merchant-parameters.ts'
import { answerSchema, refusalSchema } from '../body/envelope.ts'
import { exampleOf } from './api-example.ts'
import { apiIntroduction, errorTable } from './api-introduction.ts'
import { curlOf } from './curl-command.ts'

/** The codes with which every endpoint may refuse a request. */
export const commonRefusals: readonly ErrorCode[] = [
  'bad_request',
  'missing_parameter',
  'bad_parameter',
  'bad_sign',
  'stale_timestamp',
  'nonce_reused',
  'timestamp_required',
  'client_not_allowed',
  'merchant_disabled',
  'too_large',
  'unsupported_media_type',
  'rate_limited',
  'not_ready',
  'unavailable',
  'internal',
]

/** Swagger UI shows it behind the endpoints. */
const errorsTag = { name: 'Errors', description: errorTable() }

const tag = {
  name: 'Merchant API',
  description: 'The endpoints a merchant calls, and what is posted to it.',
}

/** The key that signs the examples: the key of the published vectors. */
const exampleKey = '3f9c1e7ab2d84455a0c6e1f27d90b8aa'

/**
 * Writes the merchant API as an OpenAPI 3.1 document, from the schemas that validate its requests and serialize its answers.
 * OpenAPI 3.1 takes JSON Schema as it is.
 * @param curl writes an endpoint's example for a shell.
 */
export function apiDocument(
  endpoints: readonly Endpoint[],
  curl: (endpoint: Endpoint) => string = curlWithExampleKey,
): Record<string, unknown> {
  return {
    openapi: '3.1.1',
    info: {
      title: 'recharge-gateway: merchant API',
      version: productVersion(),
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: apiIntroduction,
    },
    servers: [{ url: '/', description: 'This gateway' }],
    // The signature is a parameter. No security scheme of OpenAPI describes that.
    security: [],
    tags: [tag, errorsTag],
    paths: Object.fromEntries(
      endpoints.map(endpoint => [
        `/api/merchant/${endpoint.name}`,
        { post: operation(endpoint, curl(endpoint)) },
      ]),
    ),
    webhooks: {
      callback: { post: callbackOperation() },
      deposit: { post: depositOperation() },
      event: { post: eventOperation() },
    },
    components: {
      schemas: {
        Refusal: plainSchema(refusalSchema),
        Callback: plainSchema(callbackSchema),
        FullCallback: plainSchema(fullCallbackSchema),
        Deposit: plainSchema(depositSchema),
        ...Object.fromEntries(events.map(({ name, schema }) => [name, plainSchema(schema)])),
        ...Object.fromEntries(endpoints.flatMap(endpointSchemas)),
      },
      headers: {
        RequestId: {
          description: "The request's id, as the operator's log has it.",
          schema: { type: 'string' },
        },
      },
    },
  }
}

function endpointSchemas(endpoint: Endpoint): [string, unknown][] {
  return [
    [schemaName(endpoint, 'Parameters'), plainSchema(parametersSchema(endpoint))],
    [schemaName(endpoint, 'Answer'), plainSchema(answerSchema(endpoint.data))],
  ]
}

/** Makes `NewAddressParameters` of `newAddress`: these are the names of types in generated clients. */
function schemaName({ name }: Endpoint, suffix: string): string {
  return `${name[0]!.toUpperCase()}${name.slice(1)}${suffix}`
}

function operation(endpoint: Endpoint, curl: string) {
  const parameters = { schema: reference(schemaName(endpoint, 'Parameters')) }
  const answer = exampleOf(answerSchema(endpoint.data), true)
  return {
    operationId: endpoint.name,
    tags: [tag.name],
    summary: endpoint.summary,
    description: `${replayNotes[endpoint.replay]}\n\n${parameterTable(endpoint)}\n\n${curl}`,
    requestBody: {
      required: true,
      content: {
        'application/json': { ...parameters, example: signedExample(endpoint) },
        'application/x-www-form-urlencoded': { ...parameters, example: signedExample(endpoint) },
      },
    },
    responses: {
      200: {
        description: 'Done.',
        headers: answerHeaders,
        content: {
          'application/json': { schema: reference(schemaName(endpoint, 'Answer')), example: answer },
        },
      },
      ...refusals([...commonRefusals, ...endpoint.refusals]),
    },
  }
}

const answerHeaders = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } }

const replayNotes: Record<Endpoint['replay'], string> = {
  legacy: '`t` and `nonce` are optional, unless the merchant is set to require them.',
  usual: '`t` and `nonce` are required with a `sha1` key, and of merchants set to require them.',
  once: '`t` and `nonce` are required, and each nonce is accepted once.',
}

/** Lists an endpoint's parameters as a Markdown table. */
function parameterTable(endpoint: Endpoint): string {
  const { properties, required } = parametersSchema(endpoint)
  const needed: readonly string[] = endpoint.replay === 'once' ? [...required, 't', 'nonce'] : required
  const rows = Object.entries(properties).map(([name, schema]) => {
    const { description, minLength, maxLength } = schema as TSchema as Type.TStringOptions
    const length = maxLength === undefined ? '' : ` ${minLength} to ${maxLength} characters.`
    return `| \`${name}\` | ${needed.includes(name) ? 'yes' : ''} | ${description}${length} |`
  })
  return ['| parameter | required | |', '| --- | --- | --- |', ...rows].join('\n')
}

/** Makes an example request, signed with the key of the published vectors. */
function signedExample(endpoint: Endpoint): SignedParameters {
  const { sign: _, ...parameters } = exampleOf(
    parametersSchema(endpoint),
    endpoint.replay !== 'legacy',
  ) as Record<string, string>
  return { ...parameters, sign: signParameters('hmac-sha256', endpoint.name, parameters, exampleKey) }
}

function curlWithExampleKey(endpoint: Endpoint): string {
  return curlOf('"$GATEWAY_URL"', endpoint, signedExample(endpoint))
}

/** Describes refusals by HTTP status: the codes of each status, with an example of each code. */
function refusals(codes: readonly ErrorCode[]) {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codes) {
    const { status } = errorCodes[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries([...byStatus].map(([status, some]) => [status, refusal(status, some)]))
}

function refusal(status: number, codes: readonly ErrorCode[]) {
  const examples = codes.map(code => {
    const { meaning, example } = errorCodes[code]
    return [code, { summary: `${code}: ${meaning}`, value: { status: 0, err: example, code } }]
  })
  return {
    description: `${STATUS_CODES[status]}: ${codes.map(code => `\`${code}\``).join(', ')}.`,
    headers: {
      ...answerHeaders,
      // Nobody knows how long an internal error will last.
      ...(codes.some(code => errorCodes[code].retry && code !== 'internal') && {
        'Retry-After': { description: 'Seconds after which to try again.', schema: { type: 'integer' } },
      }),
    },
    content: {
      'application/json': { schema: reference('Refusal'), examples: Object.fromEntries(examples) },
    },
  }
}

/** Names of types in generated clients: `OrderSeenEvent`. */
const events = Object.entries(eventSchemas).map(([event, schema]) => ({
  event,
  name: `${event.replace(/(?:^|\.)(\w)/g, (_, letter) => letter.toUpperCase())}Event`,
  schema,
}))

const webhookHeaders = [
  ['Idempotency-Key', 'Its key: the same at every attempt.'],
  ['webhook-id', 'The same key (Standard Webhooks).'],
  ['webhook-timestamp', 'Unix seconds of this attempt.'],
  ['webhook-signature', 'One `v1,…` for each live secret, over the exact bytes sent.'],
]

function callbackOperation() {
  return webhookOperation({
    operationId: 'callback',
    summary:
      "The gateway posts this to the merchant's URL for every credit that changes the announced amount.",
    description:
      'Form-encoded, unless the merchant is set to JSON. A merchant may also be set to some of the fields beside the six. Any 2xx within 10 s acknowledges it. Anything else is retried: 15 attempts over more than 82 hours.',
    schema: { anyOf: [reference('Callback'), reference('FullCallback')] },
    examples: {
      six: { summary: 'Six fields, the default', value: exampleOf(callbackSchema, true) },
      full: { summary: 'callback_fields: full', value: exampleOf(fullCallbackSchema, true) },
    },
  })
}

function depositOperation() {
  return webhookOperation({
    operationId: 'deposit',
    summary:
      'The gateway posts this to the default URL for money without an order, if the merchant has deposits on.',
    description:
      'It is money: credit `deposit_amount` to the user `deposit_localusermark`, once for each `deposit_id`. It has neither `orderid` nor `amount`. It is encoded, signed, acknowledged and retried like a callback.',
    schema: reference('Deposit'),
    examples: { deposit: { summary: 'A deposit', value: exampleOf(depositSchema, true) } },
  })
}

function eventOperation() {
  return webhookOperation({
    operationId: 'event',
    summary: 'The gateway posts this to the same URL, for display, if the merchant is set to be told of it.',
    description:
      'It announces no money: never credit a user because of one. It has the field `event`, and neither `orderid` nor `amount`. It is encoded, signed and acknowledged like a callback, and has five attempts within a day.',
    schema: { anyOf: events.map(({ name }) => reference(name)) },
    examples: Object.fromEntries(
      events.map(({ event, schema }) => [event, { summary: event, value: exampleOf(schema, true) }]),
    ),
  })
}

function webhookOperation({
  schema,
  examples,
  ...said
}: {
  schema: object
  examples: object
  operationId: string
  summary: string
  description: string
}) {
  return {
    ...said,
    tags: [tag.name],
    parameters: webhookHeaders.map(([name, description]) => ({
      name,
      in: 'header',
      required: true,
      description,
      schema: { type: 'string' },
    })),
    requestBody: {
      required: true,
      content: {
        'application/x-www-form-urlencoded': { schema, examples },
        'application/json': { schema, examples },
      },
    },
    responses: {
      '2XX': { description: 'Acknowledged. It is not sent again.' },
      410: { description: 'Not wanted any more. The gateway stops sending it.' },
      default: { description: 'Retried. Retry-After is respected within bounds.' },
    },
  }
}

function reference(name: string) {
  return { $ref: `#/components/schemas/${name}` }
}

/** Copies a schema as plain JSON, without our own keyword `expected`. */
function plainSchema(schema: TSchema | TObject): unknown {
  return JSON.parse(JSON.stringify(schema, (key, value) => (key === 'expected' ? undefined : value)))
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { readFormParameters } from '../../src/http/body/form-parameters.ts'
import { type SignatureScheme, signaturesEqual, signParameters } from '../../src/merchants/signature.ts'
import { type EndpointName, wireAnswers } from './wire-answers.ts'

/**
 * A gateway that behaves by the first segment of the path, `behaviour.number`: so a client's base URL decides what it
 * meets, and the number tells one case from the other.
 */
export interface PlayedGateway {
  url: string
  key: string
  /** What came in, by the case's number. */
  requests: Map<string, Record<string, string>[]>
}

type Behaviour = (nth: number, response: ServerResponse, literal: () => void) => void

const busy = (response: ServerResponse) =>
  refuse(response, 503, 'not_ready', 'nothing is watched yet', { 'retry-after': '0' })

/** nth counts from 1. */
const behaviours: Record<string, Behaviour> = {
  wire: (_, __, literal) => literal(),
  'busy-once': (nth, response, literal) => (nth === 1 ? busy(response) : literal()),
  'busy-always': (_, response) => busy(response),
  'broken-once': (nth, response, literal) =>
    nth === 1 ? refuse(response, 500, 'internal', 'our own fault') : literal(),
  'reset-once': (nth, response, literal) => (nth === 1 ? response.socket!.resetAndDestroy() : literal()),
  'cut-once': (nth, response, literal) => {
    if (nth > 1) return literal()
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    response.write('{"status":1', () => setImmediate(() => response.destroy()))
  },
  limited: (_, response) =>
    refuse(response, 429, 'rate_limited', 'too many requests', { 'retry-after': '3600' }),
  page: (_, response) =>
    response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>'),
  ...Object.fromEntries(
    Object.entries({
      nonsense: '[{"status":1}]',
      'no-data': '{"status":1}',
      'null-data': '{"status":1,"data":null}',
      'text-data': '{"status":1,"data":"ok"}',
      'odd-code': '{"status":0,"code":1,"err":"no"}',
      'odd-err': '{"status":0,"code":"bad_amount","err":{"toString":1}}',
      'deep-answer': `{"status":1,"data":${'['.repeat(500_000)}`,
    }).map(([name, text]): [string, Behaviour] => [name, (_, response) => response.writeHead(200).end(text)]),
  ),
  refused: (_, response) =>
    refuse(response, 400, 'bad_amount', 'amount: at most 6 decimals, got "1.0000001"'),
  'always-200': (_, response) =>
    refuse(response, 200, 'orderid_conflict', 'orderid: taken by another amount'),
  redirect: (_, response) =>
    response.writeHead(302, { location: '/wire.0/api/merchant/newAddress', 'content-length': '0' }).end(),
  silent: () => undefined,
}

/** Starts it; it verifies every request in the scheme of the appid (`sha1` or anything else) before it behaves. */
export async function startPlayedGateway(): Promise<PlayedGateway> {
  const key = '3f9c1e7ab2d84455a0c6e1f27d90b8aa'
  const requests: PlayedGateway['requests'] = new Map()
  const server = createServer(async (request, response) => {
    const [, base = '', , , endpoint = ''] = request.url!.split('/')
    const [behaviour = '', number = ''] = base.split('.')
    const parameters = { ...readFormParameters(await textOf(request)) }
    const earlier = requests.get(number) ?? []
    requests.set(number, [...earlier, parameters])
    const problem = problemOf(parameters, endpoint, key)
    if (problem) return refuse(response, 401, 'bad_sign', problem)
    const literal = () =>
      response
        .writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
        .end(JSON.stringify({ status: 1, data: wireAnswers[endpoint as EndpointName] }))
    behaviours[behaviour]!(earlier.length + 1, response, literal)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, requests }
}

function problemOf(parameters: Record<string, string>, endpoint: string, key: string): string | null {
  const scheme: SignatureScheme = parameters.appid === 'sha1' ? 'sha1' : 'hmac-sha256'
  const expected = signParameters(scheme, endpoint, parameters, key)
  if (!signaturesEqual(parameters.sign ?? '', expected)) return 'sign: wrong'
  if (Math.abs(Number(parameters.t) - Date.now() / 1000) > 300) return 't: stale'
  return /^.{16,64}$/.test(parameters.nonce ?? '') ? null : 'nonce: 16 to 64 characters'
}

function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  err: string,
  headers: Record<string, string> = {},
): void {
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    .end(JSON.stringify({ status: 0, err, code }))
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

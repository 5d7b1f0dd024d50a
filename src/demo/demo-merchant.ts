import { createHmac, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type LegacyUnits, legacy } from '../base/money.ts'
import { signaturesEqual, signParameters } from '../merchants/signature.ts'

/** What the gateway gave to the merchant. */
export interface MerchantCredentials {
  appid: string
  key: string
  webhookSecret: string
}

/** A received callback, with the result of the merchant's checks. */
export interface ReceivedCallback {
  key: string
  orderid: string
  amount: LegacyUnits
  /** What is wrong with it; empty when both signatures are right. */
  faults: string[]
}

export interface DemoMerchant {
  callbackUrl: string
  received: readonly ReceivedCallback[]
  /** Sends a signed request to the gateway's API, as a merchant's code does. @throws Error with the answer's err. */
  call(apiUrl: string, endpoint: string, parameters: Record<string, string>): Promise<Record<string, unknown>>
  close(): Promise<void>
}

/**
 * Starts a merchant: a real HTTP endpoint that verifies both signatures of each callback, deduplicates by key and answers
 * 200.
 * @param onCallback called with each callback, but not with repetitions.
 */
export async function startDemoMerchant(
  credentials: MerchantCredentials,
  onCallback: (callback: ReceivedCallback) => void,
): Promise<DemoMerchant> {
  const received: ReceivedCallback[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const callback = check(credentials, request.headers, Buffer.concat(chunks))
    if (callback.faults.length > 0) {
      response.writeHead(400).end(callback.faults.join('; '))
    } else {
      response.writeHead(200).end('success')
      // The gateway delivers at least once. The merchant counts each key once.
      if (received.some(({ key }) => key === callback.key)) return
    }
    received.push(callback)
    onCallback(callback)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    callbackUrl: `http://127.0.0.1:${port}/recharge-callback`,
    received,
    call: (apiUrl, endpoint, parameters) => call(credentials, apiUrl, endpoint, parameters),
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function call(
  { appid, key }: MerchantCredentials,
  apiUrl: string,
  endpoint: string,
  parameters: Record<string, string>,
): Promise<Record<string, unknown>> {
  const t = Math.floor(Date.now() / 1000).toString()
  const signed = { ...parameters, appid, t, nonce: randomBytes(16).toString('hex') }
  const sign = signParameters('hmac-sha256', endpoint, signed, key)
  const response = await fetch(`${apiUrl}/api/merchant/${endpoint}`, {
    method: 'POST',
    body: new URLSearchParams({ ...signed, sign }),
  })
  const answer = (await response.json()) as {
    status: number
    data: Record<string, unknown>
    err?: string
    code?: string
  }
  if (answer.status !== 1) throw new Error(`${endpoint}: ${answer.code}: ${answer.err}`)
  return answer.data
}

function check(
  { appid, key, webhookSecret }: MerchantCredentials,
  headers: Record<string, string | string[] | undefined>,
  body: Buffer,
): ReceivedCallback {
  const faults: string[] = []
  const fields = Object.fromEntries(new URLSearchParams(body.toString('utf8')))
  if (!signaturesEqual(fields.sign ?? '', signParameters('hmac-sha256', 'callback', fields, key))) {
    faults.push('the body sign is wrong')
  }
  const id = `${headers['webhook-id']}`
  const signed = Buffer.concat([Buffer.from(`${id}.${headers['webhook-timestamp']}.`), body])
  const secret = Buffer.from(webhookSecret.replace(/^whsec_/, ''), 'base64')
  const expected = `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`
  if (!`${headers['webhook-signature']}`.split(' ').includes(expected))
    faults.push('webhook-signature is wrong')
  if (id !== headers['idempotency-key']) faults.push('webhook-id and Idempotency-Key differ')
  if (fields.appid !== appid) faults.push('it is for another appid')
  return { key: id, orderid: fields.orderid ?? '', amount: legacy(BigInt(fields.amount || 0)), faults }
}

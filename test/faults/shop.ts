import { createHmac } from 'node:crypto'
import type { AddedMerchant } from '../../src/merchants/add-merchant.ts'
import { signParameters } from '../../src/merchants/signature.ts'
import { type Answer, openMerchantEndpoint, type ReceivedCallback } from '../support/merchant-endpoint.ts'

/** A request that came to a shop, and what it made of it. */
export interface Receipt {
  key: string
  /** The body's, as decoded. */
  fields: Record<string, string>
  at: number
  /** Host and port it came to. */
  host: string
  /** Whether it was answered with an acknowledgement: then the shop has booked it, whoever read the answer. */
  acknowledged: boolean
  /** What is wrong with its signatures, or with where it went. */
  faults: string[]
}

/** A merchant: its credentials, its server, and its own books. */
export interface Shop {
  appid: string
  /** What it signs its requests with. */
  requestKey: string
  /** A callback is rightly signed by any of these. */
  keys: string[]
  secrets: string[]
  callbackUrl: string
  receipts: Receipt[]
  /** Booked by orderid: what was announced under distinct keys, 1/10000 USDT. */
  booked: Map<string, bigint>
  /** How it answers. @param nth of this key, from 1. */
  answer: (request: ReceivedCallback, nth: number) => Answer
  /** Which of its answers acknowledge; a whole 2xx unless a row says otherwise. */
  acknowledges: (answer: Answer) => boolean
  /** Opens a further server for the same books. @returns its callback URL. */
  openAnother(): Promise<string>
  close(): Promise<void>
}

/** Opens a shop's server; its credentials come with `enrol`, once its URL is known. */
export async function openShop(): Promise<Shop & { enrol(added: AddedMerchant): void }> {
  const seen = new Map<string, number>()
  const acknowledgedKeys = new Set<string>()
  const receive = (request: ReceivedCallback): Answer => {
    const key = `${request.headers['idempotency-key']}`
    const nth = (seen.get(key) ?? 0) + 1
    const answer = shop.answer(request, nth)
    const acknowledged = shop.acknowledges(answer)
    const fields = Object.fromEntries(new URLSearchParams(request.body))
    if (acknowledged && !acknowledgedKeys.has(key)) {
      acknowledgedKeys.add(key)
      const { orderid = '', amount = '0' } = fields
      shop.booked.set(orderid, (shop.booked.get(orderid) ?? 0n) + BigInt(amount))
    }
    seen.set(key, nth)
    const host = `${request.headers.host}`
    shop.receipts.push({
      key,
      fields,
      at: request.at,
      host,
      acknowledged,
      faults: faultsOf(request, fields, shop),
    })
    return answer
  }
  const endpoints = [await openMerchantEndpoint(receive)]
  const shop: Shop & { enrol(added: AddedMerchant): void } = {
    appid: '',
    requestKey: '',
    keys: [],
    secrets: [],
    callbackUrl: endpoints[0]!.url,
    receipts: [],
    booked: new Map(),
    answer: () => ({ status: 200, body: 'success' }),
    acknowledges: isWhole2xx,
    openAnother: async () => {
      endpoints.push(await openMerchantEndpoint(receive))
      return endpoints.at(-1)!.url
    },
    close: async () => {
      for (const endpoint of endpoints) await endpoint.close()
    },
    enrol: added => {
      shop.appid = added.appid
      shop.requestKey = added.key
      shop.keys.push(added.key)
      shop.secrets.push(added.webhookSecret)
    },
  }
  return shop
}

function isWhole2xx(answer: Answer): boolean {
  const broken = 'hang' in answer || 'drip' in answer || 'reset' in answer || 'endless' in answer
  return 'status' in answer && !broken && answer.status! >= 200 && answer.status! <= 299
}

function faultsOf(request: ReceivedCallback, fields: Record<string, string>, shop: Shop): string[] {
  const { headers } = request
  const faults: string[] = []
  if (!shop.keys.some(key => signParameters('hmac-sha256', 'callback', fields, key) === fields.sign))
    faults.push('sign is wrong')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${request.body}`
  const right = shop.secrets.map(secret => {
    const bytes = Buffer.from(secret.slice('whsec_'.length), 'base64')
    return `v1,${createHmac('sha256', bytes).update(signed).digest('base64')}`
  })
  if (!`${headers['webhook-signature']}`.split(' ').some(one => right.includes(one)))
    faults.push('webhook-signature is wrong')
  if (headers['webhook-id'] !== headers['idempotency-key']) faults.push('webhook-id differs from the key')
  if (request.path !== '/callback') faults.push(`it went to ${request.path}`)
  if (fields.appid !== shop.appid) faults.push(`it is ${fields.appid}'s`)
  return faults
}

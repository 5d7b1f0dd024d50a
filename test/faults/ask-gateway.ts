import { signed, stamp } from '../support/signed-request.ts'
import type { Shop } from './shop.ts'

/** An answer of the API. */
export interface GatewayReply {
  /** Of HTTP. */
  status: number
  /** Its `status` is 1 when it has `data`. */
  answer: { status: number; code?: string; err?: string; data: Record<string, string> }
}

/** A merchant's client gives up a request and makes it again. */
const requestTimeoutMs = 9_000

/** Makes one signed request of a shop. @returns null when no answer came, or half of one. */
export async function askGateway(
  { apiUrl }: { apiUrl: string },
  shop: Shop,
  endpoint: string,
  parameters: Record<string, string>,
): Promise<GatewayReply | null> {
  const caller = { appid: shop.appid, key: shop.requestKey, scheme: 'hmac-sha256' as const }
  const body = new URLSearchParams(signed(caller, endpoint, { ...parameters, ...stamp() }))
  try {
    const response = await fetch(`${apiUrl}/api/merchant/${endpoint}`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(requestTimeoutMs),
    })
    return { status: response.status, answer: JSON.parse(await response.text()) }
  } catch {
    return null
  }
}

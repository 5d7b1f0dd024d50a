import { GatewayError } from './errors.ts'
import { type Scheme, sign } from './signature.ts'

export interface Desk {
  url: string
  appid: string
  key: string
  scheme: Scheme
  timeoutMs: number
  retries: number
}

/** The wait before the first repetition; it doubles with each. */
const firstPauseMs = 250
/** A gateway that asks for more patience than this is told to the caller instead. */
const longestPauseMs = 30_000

/**
 * Makes a signed request, again where that may help.
 * @param given what is undefined is left out.
 * @returns the answer's `data`.
 * @throws GatewayError; TypeError for a value that is neither text nor a whole number.
 */
export async function request<Data>(desk: Desk, endpoint: string, given: object): Promise<Data> {
  const parameters = textOf(given)
  for (let attempt = 0; ; attempt++) {
    try {
      return (await post(desk, endpoint, parameters)) as Data
    } catch (error) {
      if (!(error instanceof GatewayError) || !error.retryable || attempt >= desk.retries) throw error
      const pauseMs =
        error.retryAfter === undefined
          ? firstPauseMs * 2 ** attempt * (0.5 + Math.random() / 2)
          : error.retryAfter * 1000
      if (pauseMs > longestPauseMs) throw error
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }
}

function textOf(given: object): Record<string, string> {
  const parameters: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const isCount = Number.isSafeInteger(value) && name !== 'amount'
    if (typeof value !== 'string' && !isCount) {
      throw new TypeError(`${name}: must be a string${name === 'amount' ? ' of decimal USDT' : ''}`)
    }
    parameters[name] = String(value)
  }
  return parameters
}

/** One attempt; `t` and `nonce` are fresh each time, so that a late repetition is not taken for a stale request. */
async function post(desk: Desk, endpoint: string, parameters: Record<string, string>): Promise<unknown> {
  const t = Math.floor(Date.now() / 1000).toString()
  const nonce = crypto.randomUUID()
  const signed = { ...parameters, appid: desk.appid, t, nonce }
  const body = new URLSearchParams({ ...signed, sign: await sign(endpoint, signed, desk.key, desk.scheme) })
  let response: Response
  let text: string
  try {
    response = await fetch(`${desk.url}/api/merchant/${endpoint}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
      redirect: 'manual',
      signal: AbortSignal.timeout(desk.timeoutMs),
    })
    text = await response.text()
  } catch (cause) {
    throw new GatewayError('no_answer', `${endpoint} got no answer: ${reasonOf(cause)}`, {
      httpStatus: 0,
      cause,
    })
  }
  return dataOf(endpoint, response, text)
}

/** fetch says no more than "fetch failed"; what failed is in its cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown }
  return cause instanceof Error && cause.message ? cause.message : String(error)
}

/** A merchant may be set to get every refusal with 200, so the envelope decides and not the HTTP status. */
function dataOf(endpoint: string, response: Response, text: string): unknown {
  const { status: httpStatus } = response
  const seconds = response.headers.get('retry-after') ?? ''
  const retryAfter = /^\d{1,9}$/.test(seconds) ? Number(seconds) : undefined
  const answer = envelopeOf(text)
  if (answer?.status === 1 && httpStatus === 200 && isObject(answer.data)) return answer.data
  if (answer?.status === 0 && typeof answer.code === 'string' && typeof answer.err === 'string') {
    throw new GatewayError(answer.code, answer.err, { httpStatus, retryAfter })
  }
  const sentence = `${endpoint} was answered with HTTP ${httpStatus}, but not by the gateway`
  throw new GatewayError('bad_answer', sentence, { httpStatus, retryAfter })
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function envelopeOf(
  text: string,
): { status?: unknown; data?: unknown; err?: unknown; code?: unknown } | null {
  try {
    return JSON.parse(text)
  } catch {
    return null // A proxy's page, say: the caller hears of the HTTP status.
  }
}

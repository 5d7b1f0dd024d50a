import type { Refusal } from './api-types.ts'

/**
 * The gateway's own code (`bad_amount`, `orderid_conflict`, ...), which never changes; or, made up here, `no_answer` (the
 * network failed or the time was over: what was asked may have been done) and `bad_answer` (something else than the
 * gateway answered, such as a proxy's error page). Any other text: a gateway newer than this client may know more codes.
 */
export type GatewayErrorCode = Refusal['code'] | 'no_answer' | 'bad_answer' | (string & {})

/** A request that was refused, or that got no answer. */
export class GatewayError extends Error {
  readonly code: GatewayErrorCode
  /** 0 when there was no answer. */
  readonly httpStatus: number
  /** Seconds to wait before asking again, when the gateway said so. */
  readonly retryAfter: number | undefined

  constructor(
    code: GatewayErrorCode,
    sentence: string,
    details: { httpStatus: number; retryAfter?: number | undefined; cause?: unknown },
  ) {
    super(`${code}: ${sentence}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'GatewayError'
    this.code = code
    this.httpStatus = details.httpStatus
    this.retryAfter = details.retryAfter
  }

  /** Whether the very same request may be answered otherwise later: no answer, 429, 5xx. */
  get retryable(): boolean {
    return this.httpStatus === 0 || this.httpStatus === 429 || this.httpStatus >= 500
  }
}

/**
 * Why a callback is not to be believed:
 * missing_header: one of the three webhook- headers is not there; bad_signature: webhook-signature does not fit;
 * stale_timestamp: signed more than five minutes from now; bad_body: not a callback's body; bad_sign: the body's sign
 * does not fit; wrong_appid: for another merchant; no_signed_key: nothing signed to deduplicate by.
 */
export type CallbackErrorCode =
  | 'missing_header'
  | 'bad_signature'
  | 'stale_timestamp'
  | 'bad_body'
  | 'bad_sign'
  | 'wrong_appid'
  | 'no_signed_key'

/** A callback that must not be believed. Answer it with a 400: the gateway shows that to whoever looks for the reason. */
export class CallbackError extends Error {
  readonly code: CallbackErrorCode

  constructor(code: CallbackErrorCode, sentence: string) {
    super(`${code}: ${sentence}`)
    this.name = 'CallbackError'
    this.code = code
  }
}

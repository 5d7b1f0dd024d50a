import { hideIn } from '../../base/hide-secrets.ts'
import { excerpt } from './answer-fields.ts'
import { NodeError } from './node-error.ts'

/** An HTTP answer, its body decompressed. */
export interface HttpAnswer {
  status: number
  /** The header. */
  retryAfter: string | undefined
  body: Buffer
  /** Replaced in what is quoted of the body. */
  secrets?: readonly string[]
}

/** The longest wait that is respected. A node that asks for more is asked again after this. */
const retryAfterMaxMs = 600_000

/**
 * Parses an answer, or throws what it refuses with. Nodes and the services in front of them refuse with 429, 403 or 503, and
 * with 200 too: `{"Error": "..."}`, or bare text.
 * @param read parses the body, when only part of it is needed. It has to keep a member `Error`, and to throw on other text.
 * @throws NodeError `later` for limits and suspensions, `failed` for everything else that is not an answer.
 */
export function readAnswer(answer: HttpAnswer, read: (body: Buffer) => unknown = parseJson): unknown {
  const { status } = answer
  if (status !== 200) {
    const body = answer.body.toString()
    const waits = status === 429 || status === 503 || (status === 403 && isLimit(body))
    throw refusal(waits ? 'later' : 'failed', `HTTP ${status}`, answer, body)
  }
  const value = readOr(answer, read)
  if (typeof value === 'object' && value !== null && 'Error' in value) {
    const body = answer.body.toString()
    throw refusal(isLimit(body) ? 'later' : 'failed', 'an error', answer, body)
  }
  return value
}

function parseJson(body: Buffer): unknown {
  return JSON.parse(body.toString())
}

/** Recognizes the sentences of TronGrid's limits and of java-tron's limiter. */
export function isLimit(body: string): boolean {
  return /suspended for|exceeded the allowed_rps|exceeds the frequency limit|lack of computing resources/.test(
    body,
  )
}

/** Recognizes a node without history. @see `liteNode` */
export function isLiteNode(body: string): boolean {
  return /is a lite fullnode/.test(body)
}

export function liteNode(): NodeError {
  return new NodeError('failed', 'it is a lite full node, which keeps no history: use a full node')
}

function readOr(answer: HttpAnswer, read: (body: Buffer) => unknown): unknown {
  try {
    return read(answer.body)
  } catch (cause) {
    const body = answer.body.toString()
    if (isLiteNode(body)) throw liteNode()
    throw refusal(isLimit(body) ? 'later' : 'failed', 'no JSON', answer, body, cause)
  }
}

function refusal(
  kind: NodeError['kind'],
  what: string,
  answer: HttpAnswer,
  body: string,
  cause?: unknown,
): NodeError {
  return new NodeError(
    kind,
    `answered with ${what}: ${excerpt(hideIn(body, answer.secrets ?? [])) || '(nothing)'}`,
    {
      status: answer.status,
      ...(kind === 'later' && {
        retryAfterMs: waitMs(body, answer.retryAfter),
        allowedPerSecond: allowedPerSecond(answer.status, body),
      }),
      cause,
    },
  )
}

/** Reads how long the node asks us to wait. @param retryAfter the header. @returns undefined when it does not say. */
export function waitMs(body: string, retryAfter: string | undefined): number | undefined {
  const seconds =
    /suspended for (\d{1,6}) ?s/.exec(body)?.[1] ?? /^\s*(\d{1,6})\s*$/.exec(retryAfter ?? '')?.[1]
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1000, retryAfterMaxMs)
}

/** Reads how many requests a second it allows: 0 when it only says that there were too many. */
export function allowedPerSecond(status: number, body: string): number | undefined {
  const limit = /(?:allowed_rps|frequency limit)\((\d{1,6})\)/.exec(body)?.[1]
  if (limit !== undefined) return Number(limit)
  // A 503 without such a sentence is not about our rate.
  return status === 429 || isLimit(body) ? 0 : undefined
}

import { NodeError } from './node-error.ts'

/** An HTTP answer as it came; the body unpacked. */
export interface HttpAnswer {
  status: number
  /** The header. */
  retryAfter: string | undefined
  body: Buffer
}

/** However long a node says to wait, it is asked again after this. */
const retryAfterMaxMs = 600_000
const excerptMax = 200

/**
 * Tells an answer from a refusal. Nodes and the services in front of them refuse with 429, 403 or 503, and with 200 too:
 * `{"Error": "..."}`, or bare text.
 * @param read what to make of the JSON, where not all of it is wanted; it keeps a member `Error`, and throws where it is none.
 * @returns the parsed JSON of an answer.
 * @throws NodeError `later` for limits and suspensions, `failed` for everything that is not JSON of an answer.
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

/** The sentences seen of TronGrid's limits and of java-tron's own limiter. */
function isLimit(body: string): boolean {
  return /suspended for|exceeded the allowed_rps|exceeds the frequency limit|lack of computing resources/.test(
    body,
  )
}

function readOr(answer: HttpAnswer, read: (body: Buffer) => unknown): unknown {
  try {
    return read(answer.body)
  } catch (cause) {
    const body = answer.body.toString()
    if (/is a lite fullnode/.test(body)) {
      throw new NodeError('failed', 'it is a lite full node, which keeps no history: use one that does')
    }
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
  // A stranger's text: shortened, and without control characters, since it ends up in the log.
  const excerpt = body.slice(0, excerptMax).replace(/\p{Cc}+/gu, ' ')
  return new NodeError(kind, `answered with ${what}: ${excerpt || '(nothing)'}`, {
    status: answer.status,
    ...(kind === 'later' && {
      retryAfterMs: waitMs(body, answer.retryAfter),
      allowedPerSecond: allowedPerSecond(answer.status, body),
    }),
    cause,
  })
}

function waitMs(body: string, retryAfter: string | undefined): number | undefined {
  const seconds =
    /suspended for (\d{1,6}) ?s/.exec(body)?.[1] ?? /^\s*(\d{1,6})\s*$/.exec(retryAfter ?? '')?.[1]
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1000, retryAfterMaxMs)
}

function allowedPerSecond(status: number, body: string): number | undefined {
  const said = /(?:allowed_rps|frequency limit)\((\d{1,6})\)/.exec(body)?.[1]
  if (said !== undefined) return Number(said)
  // A 503 alone is no word about how often we ask.
  return status === 429 || isLimit(body) ? 0 : undefined
}

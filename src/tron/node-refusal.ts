import { NodeError } from './node-error.ts'

/** However long a node says to wait, it is asked again after this. */
const retryAfterMaxMs = 600_000
const excerptMax = 200

/**
 * Tells an answer from a refusal. Nodes and the services in front of them refuse with 429, 403 or 503, and with 200 too:
 * `{"Error": "..."}`, or bare text.
 * @param retryAfter the header, as it came.
 * @returns the parsed JSON of an answer.
 * @throws NodeError `later` for limits and suspensions, `failed` for everything that is not JSON of an answer.
 */
export function readAnswer(answer: {
  status: number
  retryAfter: string | undefined
  body: string
}): unknown {
  const { status, body } = answer
  if (status !== 200) {
    const waits = status === 429 || status === 503 || (status === 403 && isLimit(body))
    throw refusal(waits ? 'later' : 'failed', `HTTP ${status}`, answer)
  }
  const value = parse(answer)
  if (typeof value === 'object' && value !== null && 'Error' in value) {
    throw refusal(isLimit(body) ? 'later' : 'failed', 'an error', answer)
  }
  return value
}

/** The sentences seen of TronGrid's limits and of java-tron's own limiter. */
function isLimit(body: string): boolean {
  return /suspended for|exceeded the allowed_rps|exceeds the frequency limit|lack of computing resources/.test(
    body,
  )
}

function parse(answer: { status: number; retryAfter: string | undefined; body: string }): unknown {
  try {
    return JSON.parse(answer.body)
  } catch (cause) {
    if (/is a lite fullnode/.test(answer.body)) {
      throw new NodeError('failed', 'it is a lite full node, which keeps no history: use one that does')
    }
    throw refusal(isLimit(answer.body) ? 'later' : 'failed', 'no JSON', answer, cause)
  }
}

function refusal(
  kind: NodeError['kind'],
  what: string,
  answer: { status: number; retryAfter: string | undefined; body: string },
  cause?: unknown,
): NodeError {
  // A stranger's text: shortened, and without control characters, since it ends up in the log.
  const excerpt = answer.body.slice(0, excerptMax).replace(/\p{Cc}+/gu, ' ')
  return new NodeError(kind, `answered with ${what}: ${excerpt || '(nothing)'}`, {
    status: answer.status,
    ...(kind === 'later' && {
      retryAfterMs: waitMs(answer.body, answer.retryAfter),
      allowedPerSecond: allowedPerSecond(answer),
    }),
    cause,
  })
}

function waitMs(body: string, retryAfter: string | undefined): number | undefined {
  const seconds =
    /suspended for (\d{1,6}) ?s/.exec(body)?.[1] ?? /^\s*(\d{1,6})\s*$/.exec(retryAfter ?? '')?.[1]
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1000, retryAfterMaxMs)
}

function allowedPerSecond(answer: { status: number; body: string }): number | undefined {
  const said = /(?:allowed_rps|frequency limit)\((\d{1,6})\)/.exec(answer.body)?.[1]
  if (said !== undefined) return Number(said)
  // A 503 alone is no word about how often we ask.
  return answer.status === 429 || isLimit(answer.body) ? 0 : undefined
}

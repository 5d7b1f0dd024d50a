import { hideIn } from '../../base/hide-secrets.ts'
import { excerpt } from './answer-fields.ts'
import { NodeError, notImplemented } from './node-error.ts'
import { allowedPerSecond, isLimit, isLiteNode, liteNode, waitMs } from './node-refusal.ts'

/** How a gRPC call ended that brought no message. */
export interface GrpcStatus {
  code: number
  details: string
  /** Whether the status is the node's. UNAVAILABLE is also grpc-js's word for a connection that could not be made. */
  answered: boolean
  /** The header of a service in front of the node. */
  retryAfter?: string | undefined
}

const resourceExhausted = 8

/** The statuses by their numbers, and the HTTP status that means the same. */
const statuses: Record<number, [name: string, http: number]> = {
  1: ['CANCELLED', 499],
  2: ['UNKNOWN', 500],
  3: ['INVALID_ARGUMENT', 400],
  4: ['DEADLINE_EXCEEDED', 504],
  5: ['NOT_FOUND', 404],
  6: ['ALREADY_EXISTS', 409],
  7: ['PERMISSION_DENIED', 403],
  [resourceExhausted]: ['RESOURCE_EXHAUSTED', 429],
  9: ['FAILED_PRECONDITION', 400],
  10: ['ABORTED', 409],
  11: ['OUT_OF_RANGE', 400],
  12: ['UNIMPLEMENTED', notImplemented],
  13: ['INTERNAL', 500],
  14: ['UNAVAILABLE', 503],
  15: ['DATA_LOSS', 500],
  16: ['UNAUTHENTICATED', 401],
}

/**
 * Makes the error of a call that ended without an answer.
 * @param options.secrets replaced in what is quoted of the details.
 */
export function grpcRefusal(
  { code, details, answered, retryAfter }: GrpcStatus,
  { deadlineMs, secrets }: { deadlineMs: number; secrets: readonly string[] },
): NodeError {
  // grpc-js ends its sentence about a failed connection so.
  const said = details.replace(/ Resolution note: $/, '')
  const text = excerpt(hideIn(said, secrets)) || '(nothing)'
  const [name, http] = statuses[code] ?? [`status ${code}`, 500]
  if (name === 'DEADLINE_EXCEEDED')
    return new NodeError('failed', `timed out after ${deadlineMs} ms`, { timedOut: true })
  if (isLiteNode(details)) return liteNode()
  // grpc-js reports what it found itself by the same statuses as a node.
  if ((!answered || ownFindings.test(details)) && !isLimit(details)) return new NodeError('failed', text)
  const status = /is unavailable due to config/.test(details) ? 404 : (httpStatusIn(details) ?? http)
  if (status === 429 || status === 503 || isLimit(details)) {
    return new NodeError('later', `answered with ${name}: ${text}`, {
      status,
      retryAfterMs: waitMs(details, retryAfter),
      allowedPerSecond: allowedPerSecond(status, details),
    })
  }
  return new NodeError('failed', `answered with ${name}: ${text}`, { status })
}

/** What grpc-js says, with the status UNIMPLEMENTED, of a call that ended well with no message or with several. */
const ownFindings = /^(No message|Too many responses) received$/

/** Reads the status that a service in front of the node answered with. It speaks HTTP where gRPC was asked for. */
function httpStatusIn(details: string): number | undefined {
  const status = /^Received HTTP status code (\d{3})/.exec(details)?.[1]
  return status === undefined ? undefined : Number(status)
}

/**
 * Reads how long a message was that was longer than allowed.
 * @returns `unknown` for a compressed one, which was unpacked up to the limit only; undefined for every other refusal.
 */
export function lengthRefused({ code, details }: GrpcStatus): number | 'unknown' | undefined {
  if (code !== resourceExhausted) return undefined
  if (details.startsWith('Received message that decompresses to a size larger than')) return 'unknown'
  const length = /^Received message larger than max \((\d+) vs/.exec(details)?.[1]
  return length === undefined ? undefined : Number(length)
}

import type { Clock } from '../../base/clock.ts'
import type { Effect, Refusal } from './fault-effect.ts'
import type { Fault, FaultOf } from './fault-schemas.ts'

// The refusals of TronGrid and java-tron, in their exact words.

const lackingResources = 'class java.lang.IllegalAccessException : lack of computing resources'
const rpsDefault = 3
const keyLimitDefault = 15
const keySecondsDefault = 30
/** The rate is counted over the last second. */
const windowMs = 1_000

const json = (status: number, error: string): Refusal => ({
  status,
  type: 'application/json',
  body: JSON.stringify({ Error: error }),
})

function tooMany(rps: number, seconds: number, status = 429): Refusal {
  return json(
    status,
    `request rate exceeded the allowed_rps(${rps}), and the query server is suspended for ${seconds} s`,
  )
}

const page = (status: number) =>
  `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n`

/** The refusals that are the same for every call. */
const refusals = {
  'too-many-requests': (fault: FaultOf<'too-many-requests'>) =>
    tooMany(fault.rps ?? rpsDefault, fault.seconds ?? 1),
  'key-suspended': ({ limit = keyLimitDefault, seconds = keySecondsDefault }: FaultOf<'key-suspended'>) =>
    json(
      403,
      `The key exceeds the frequency limit(${limit}), and the query server is suspended for ${seconds}s`,
    ),
  unavailable: ({ seconds }: FaultOf<'unavailable'>) => ({
    status: 503,
    type: 'text/html' as const,
    body: page(503),
    ...(seconds !== undefined && { headers: { 'retry-after': `${seconds}` } }),
  }),
  'no-resources': () => json(200, lackingResources),
  disabled: () => json(404, 'this API is unavailable due to config'),
  'not-offered': () => ({
    status: 404,
    type: 'text/html' as const,
    body: '<html><head><title>Error 404 Not Found</title></head><body><h2>HTTP ERROR 404 Not Found</h2></body></html>\n',
    isUnknown: true,
  }),
  'lite-node': () => ({
    status: 200,
    type: 'text/plain' as const,
    body: 'this API is closed because this node is a lite fullnode',
  }),
  html: ({ status = 200 }: FaultOf<'html'>) => ({ status, type: 'text/html' as const, body: page(status) }),
}

export type RefusingFault = Extract<Fault, { kind: keyof typeof refusals }>

/** Refuses every call the fault strikes. */
export function refuse(fault: RefusingFault): Effect {
  const make = refusals[fault.kind] as (fault: RefusingFault) => Refusal
  return { refusal: () => make(fault) }
}

/** Which calls ask for a part of a block. The gateway asks getblock for headers alone. */
const callsOfParts: Record<string, 'block' | 'header' | 'infos'> = {
  getblockbynum: 'block',
  getblockbylimitnext: 'block',
  getblock: 'header',
  gettransactioninfobyblocknum: 'infos',
}

/** Fails at every call for some parts of a block, as a node that cannot print it. `parts` (default: `block`) names them. */
export function unprintable({ parts = ['block'] }: FaultOf<'unprintable'>): Effect {
  return {
    refusal: ({ path }) => {
      const part = callsOfParts[path.split('/').at(-1)!]
      return part && parts.includes(part)
        ? { ...json(200, 'class java.lang.NullPointerException : null'), isCrash: true }
        : null
    },
  }
}

/**
 * Enforces a rate limit: a call beyond `rps` within a second starts a suspension, and every call is refused until it is
 * over.
 */
export function limitRate(fault: FaultOf<'rate-limit'>, clock: Clock): Effect {
  const seconds = fault.seconds ?? 1
  let calls: number[] = []
  let suspendedUntilMs = 0
  return {
    refusal: () => {
      const nowMs = clock.now().getTime()
      if (nowMs >= suspendedUntilMs) {
        calls = calls.filter(atMs => nowMs - atMs < windowMs)
        if (calls.length < fault.rps) {
          calls.push(nowMs)
          return null
        }
        suspendedUntilMs = nowMs + seconds * 1000
      }
      return tooMany(fault.rps, seconds, fault.status)
    },
  }
}

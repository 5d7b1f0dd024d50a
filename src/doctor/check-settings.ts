import { readConfig } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { settings } from '../base/settings.ts'
import { type Finding, look, ok, wrong } from './finding.ts'

type Environment = Record<string, string | undefined>

const proxyNames = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']

/** Says which settings are set, which are wrong, and which of them do not fit each other. Values are not shown. */
export function checkSettings(env: Environment): Finding[] {
  const set = Object.keys(settings).filter(name => env[name]?.trim())
  return [
    ...problemsOf(env).map(problem => wrong('settings', problem)),
    ok('settings', `set: ${set.join(' ') || 'none'}`),
    ...unknownNames(env).map(name =>
      look('settings', `${name} is no setting of the gateway: is it misspelt?`),
    ),
  ]
}

function problemsOf(env: Environment): readonly string[] {
  try {
    readConfig(env, 'api', 'watcher', 'courier')
    return []
  } catch (error) {
    if (error instanceof UsageError) return error.problems
    throw error
  }
}

/** Beginnings that nobody else's variables have. */
const ours =
  /^(TRON|TRONGRID|CREDIT|NODE_REQUESTS|CALLBACK|RECONCILE|ALARM|HEARTBEAT|RATE_LIMIT|IP_RATE|MASTER_KEY|ORDER_WINDOW)/

function unknownNames(env: Environment): string[] {
  return Object.keys(env)
    .filter(name => ours.test(name) && !(name in settings))
    .slice(0, 10)
}

/** Says what stands between the gateway and the world: a proxy that it does not use, and one in front of the API. */
export function checkProxies(env: Environment): Finding[] {
  const outward = proxyNames.filter(name => env[name] || env[name.toLowerCase()])
  const findings = outward.map(name =>
    look('proxy', `${name} is set. The gateway dials nodes and callbacks itself and does not use it`),
  )
  const isPublic = env.PUBLIC_URL?.startsWith('https:')
  if (isPublic && !env.TRUST_PROXY?.trim()) {
    const why = 'all clients behind a proxy count as one, and allowed clients of merchants see the proxy'
    findings.push(look('proxy', `PUBLIC_URL is https and TRUST_PROXY is not set: ${why}`))
  }
  return findings.length > 0 ? findings : [ok('proxy', 'none outward')]
}

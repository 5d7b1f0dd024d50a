import { type Config, readConfig } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { byLength, hideIn, secretsOfUrl, shortenUrls } from '../base/hide-secrets.ts'
import { settings } from '../base/settings.ts'
import { createPool, type Pool } from '../db/pool.ts'
import { checkCallbacks } from './check-callbacks.ts'
import { checkBackups, checkDatabase } from './check-database.ts'
import { checkMachine } from './check-machine.ts'
import { checkNodes } from './check-nodes.ts'
import { checkRedis } from './check-redis.ts'
import { checkRunning } from './check-running.ts'
import { checkProxies, checkSettings } from './check-settings.ts'
import { type Finding, runCheck } from './finding.ts'

/**
 * Looks at everything that the gateway stands on, from this machine and with this environment: settings, database, Redis, nodes,
 * clock, callbacks, disk, backups, and what the running gateway says of itself. It changes nothing. A check that fails is a
 * finding, and the others go on. No secret is in what it says.
 */
export async function runDoctor(env: Record<string, string | undefined>): Promise<Finding[]> {
  const nowMs = () => Date.now()
  const config = readableConfig(env)
  const pool = config.databaseUrl ? createPool(config.databaseUrl, { max: 4, name: 'gateway doctor' }) : null
  // A connection that breaks while nobody uses it is no finding of its own.
  pool?.on('error', () => undefined)
  try {
    const withPool = (area: string, check: (opened: Pool) => Promise<Finding[]>) =>
      pool ? runCheck(area, () => check(pool)) : []
    const database = await withPool('database', opened => checkDatabase(opened, nowMs))
    const isReachable = database.length > 1
    const recorded = isReachable ? withPool : () => []
    const found = await Promise.all([
      runCheck('disk', () => checkMachine()),
      runCheck('settings', () => checkSettings(env)),
      runCheck('proxy', () => checkProxies(env)),
      database,
      recorded('backup', checkBackups),
      runCheck('redis', () => checkRedis(config.redisUrl)),
      runCheck('node', () => checkNodes(config, isReachable ? pool : null, nowMs)),
      recorded('callbacks', opened => checkCallbacks(opened, config.callbackAllowedNetworks)),
      recorded('gateway', opened => checkRunning(opened, new Date())),
    ])
    return hideSecrets(found.flat(), env)
  } finally {
    await pool?.end()
  }
}

/** Reads the settings as far as they can be read: those that are wrong count as not set. */
function readableConfig(env: Record<string, string | undefined>): Config {
  try {
    return readConfig(env)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const bad = new Set(error.problems.map(problem => problem.split(' ')[0]!))
    return readConfig(Object.fromEntries(Object.entries(env).filter(([name]) => !bad.has(name))))
  }
}

/** The shortest value that is replaced wherever it occurs. */
const secretMin = 6

/** Replaces what a message may repeat of a secret, and shortens its URLs. */
function hideSecrets(findings: readonly Finding[], env: Record<string, string | undefined>): Finding[] {
  const values = Object.entries(settings).flatMap(([name, setting]) => {
    const value = env[name]?.trim()
    return value && 'secret' in setting ? [value, ...partsOf(value)] : []
  })
  const secrets = byLength(values.filter(value => value.length >= secretMin))
  return findings.map(finding => ({ ...finding, says: hideIn(shortenUrls(finding.says), secrets) }))
}

/** What of the URLs in a value may be a key. */
function partsOf(value: string): string[] {
  return value.split(/[,|]/).flatMap(url => (URL.canParse(url) ? secretsOfUrl(new URL(url)) : []))
}

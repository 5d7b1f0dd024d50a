import { UsageError } from './errors.ts'
import { type Failpoint, parseFailpoints } from './failpoint.ts'
import { gotNetwork, gotOf, shownUrl, withoutPassword } from './hide-secrets.ts'
import { parseUsdt, type UsdtUnits } from './money.ts'
import { isNetwork } from './network-list.ts'
import { pastedKey } from './pasted-key.ts'
import { type Setting, type SettingName, settingOf } from './settings.ts'

export type NetworkName = 'mainnet' | 'nile' | 'shasta' | 'private' | 'sandbox'

/** Where mails are handed in, and by which address. */
export interface MailServer {
  host: string
  port: number
  /** TLS from the first byte on. */
  secure: boolean
  user: string | undefined
  password: string | undefined
  from: string
}

/** The environment, parsed. A setting that is absent and has no default is undefined. */
export interface Config {
  host: string
  port: number
  publicUrl: string | undefined
  console: boolean
  /** undefined: the API's own. */
  consolePort: number | undefined
  consoleHost: string
  consoleUrl: string | undefined
  databaseUrl: string | undefined
  /** Of each process; undefined: the usual number. */
  databasePool: number | undefined
  redisUrl: string | undefined
  masterKey: Buffer | undefined
  xpub: string | undefined
  tronNetwork: NetworkName | undefined
  tronNodes: { headUrl: string; solidUrl: string; jsonRpcUrl: string | undefined }[]
  /** undefined: what suits the network. */
  nodeRequestsPerSecond: number | undefined
  /** To each node; undefined: any number. */
  nodeRequestsPerDay: number | undefined
  seen: boolean
  /** Base units; null: off. */
  creditQuorumAmount: UsdtUnits | null
  /** Base units; null: not given. */
  creditAloneAmount: UsdtUnits | null
  /** undefined: off. */
  reconcileUrl: string | undefined
  reconcilePerHour: number
  trongridApiKey: string | undefined
  usdtContract: string | undefined
  startBlock: number | undefined
  callbackAllowedNetworks: string[]
  rateLimitPerMinute: number
  ipRateLimitPerMinute: number
  orderWindowMs: number
  healthPort: number
  healthHost: string
  /** undefined: alarms are told in the log and the metrics alone. */
  alarmWebhookUrl: string | undefined
  alarmWebhookShape: 'plain' | 'slack' | 'telegram'
  alarmWebhookSecret: string | undefined
  alarmTelegramChat: string | undefined
  heartbeatUrl: string | undefined
  /** undefined: no mails are sent. */
  mailServer: MailServer | undefined
  consoleChangeDelayMs: number
  trustProxy: string[]
  retentionMonths: number
  logLevel: string
  /** Where this process kills itself, for the fault tests. Always empty on a public network. */
  failpoints: Failpoint[]
  /** Each setting as it may be shown. */
  inForce: readonly SettingInForce[]
}

/** A setting as this process has it, for people. */
export interface SettingInForce {
  name: SettingName
  from: 'environment' | 'default' | 'not set'
  /** Of what may hold a secret, the hosts of its URLs; null: it is not set, or not shown. */
  shown: string | null
}

/** Each role, a process or a kind of command, with the settings it cannot do without. */
const needs = {
  /** And `publicUrl`, but on a sandbox. */
  api: ['databaseUrl', 'masterKey'],
  watcher: ['databaseUrl', 'tronNetwork', 'tronNodes'],
  courier: ['databaseUrl', 'masterKey'],
  /** A command that needs the database only. */
  command: ['databaseUrl'],
  /** A command that seals secrets. */
  sealing: ['databaseUrl', 'masterKey'],
  /** A command that asks the nodes. */
  rescan: ['databaseUrl', 'tronNodes'],
  reconcile: ['databaseUrl', 'reconcileUrl'],
} as const satisfies Record<string, readonly (keyof Config)[]>

export type Role = keyof typeof needs

/** The configuration of one role: what it cannot do without is there. For a union of roles: of one of them. */
export type ConfigOf<R extends Role> = R extends Role
  ? Config & { [K in (typeof needs)[R][number]]: NonNullable<Config[K]> }
  : never

/**
 * Reads the environment. This file alone does.
 * @param roles what this process is going to do.
 * @throws UsageError naming every wrong and every missing setting at once; secrets are never quoted.
 */
export function readConfig(env: Record<string, string | undefined>): Config
export function readConfig<R extends Role>(
  env: Record<string, string | undefined>,
  ...roles: readonly R[]
): ConfigOf<R>
export function readConfig(env: Record<string, string | undefined>, ...roles: readonly Role[]): Config {
  const needed = new Set(roles.flatMap(role => needs[role].map(nameOf)))
  // A sandbox is seen where it listens.
  if (roles.includes('api') && env.TRON_NETWORK?.trim() !== 'sandbox') needed.add('PUBLIC_URL')
  const problems: string[] = []
  const inForce: SettingInForce[] = []
  const value = (name: SettingName): string | undefined => {
    const { description, expected, pattern, secret, pasted, urls, ...setting } = settingOf[name]
    const raw = env[name]?.trim()
    // An empty line in an .env file means: not set.
    const given = (pasted && raw ? pastedKey(raw) : raw) || setting.default
    inForce.push({
      name,
      from: raw ? 'environment' : given === undefined ? 'not set' : 'default',
      shown: given === undefined ? null : shownOf(given, { secret, urls }),
    })
    if (given === undefined) {
      if (needed.has(name)) problems.push(`${name} is missing: ${expected}. ${description}`)
      return undefined
    }
    if ((!pattern || pattern.test(given)) && (!urls || areUrls(given, urls))) return given
    problems.push(`${name} must be ${expected}${secret ? hintOf(given, urls) : `, ${gotOf(given)}`}`)
    return undefined
  }
  const masterKey = value('MASTER_KEY')
  const config: Config = {
    host: value('HOST')!,
    port: port('PORT', value('PORT'), problems),
    publicUrl: value('PUBLIC_URL')?.replace(/\/+$/, ''),
    console: value('CONSOLE') !== 'off',
    consolePort: optionalPort('CONSOLE_PORT', value('CONSOLE_PORT'), problems),
    consoleHost: value('CONSOLE_HOST')!,
    consoleUrl: value('CONSOLE_URL')?.replace(/\/+$/, ''),
    databaseUrl: value('DATABASE_URL'),
    databasePool: whole(value('DATABASE_POOL')),
    redisUrl: value('REDIS_URL'),
    masterKey: masterKey ? Buffer.from(masterKey, masterKey.length === 64 ? 'hex' : 'base64') : undefined,
    xpub: value('XPUB'),
    tronNetwork: value('TRON_NETWORK') as NetworkName | undefined,
    tronNodes: nodes(value('TRON_NODES')),
    nodeRequestsPerSecond: whole(value('NODE_REQUESTS_PER_SECOND')),
    nodeRequestsPerDay: whole(value('NODE_REQUESTS_PER_DAY')),
    seen: value('SEEN') !== 'off',
    creditQuorumAmount: parseUsdt(value('CREDIT_QUORUM_AMOUNT') ?? ''),
    creditAloneAmount: parseUsdt(value('CREDIT_ALONE_AMOUNT') ?? ''),
    reconcileUrl: value('RECONCILE_URL')?.replace(/\/+$/, ''),
    reconcilePerHour: whole(value('RECONCILE_PER_HOUR')) ?? 0,
    trongridApiKey: value('TRONGRID_API_KEY'),
    usdtContract: value('USDT_CONTRACT'),
    startBlock: whole(value('START_BLOCK')),
    callbackAllowedNetworks: networks(
      'CALLBACK_ALLOWED_NETWORKS',
      value('CALLBACK_ALLOWED_NETWORKS'),
      problems,
    ),
    rateLimitPerMinute: whole(value('RATE_LIMIT_PER_MINUTE')) ?? 0,
    ipRateLimitPerMinute: whole(value('IP_RATE_LIMIT_PER_MINUTE')) ?? 0,
    orderWindowMs: duration('ORDER_WINDOW', value('ORDER_WINDOW'), [unitMs.m, 90 * unitMs.d], problems),
    consoleChangeDelayMs: duration(
      'CONSOLE_CHANGE_DELAY',
      value('CONSOLE_CHANGE_DELAY'),
      [0, 30 * unitMs.d],
      problems,
    ),
    healthPort: port('HEALTH_PORT', value('HEALTH_PORT'), problems),
    healthHost: value('HEALTH_HOST')!,
    alarmWebhookUrl: value('ALARM_WEBHOOK_URL'),
    alarmWebhookShape: value('ALARM_WEBHOOK_SHAPE') as Config['alarmWebhookShape'],
    alarmWebhookSecret: value('ALARM_WEBHOOK_SECRET'),
    alarmTelegramChat: value('ALARM_TELEGRAM_CHAT'),
    heartbeatUrl: value('HEARTBEAT_URL'),
    mailServer: mailServer(value('SMTP_URL'), value('SMTP_FROM'), problems),
    trustProxy: networks('TRUST_PROXY', value('TRUST_PROXY'), problems),
    retentionMonths: whole(value('RETENTION_MONTHS')) ?? 0,
    logLevel: value('LOG_LEVEL') ?? 'info',
    failpoints: failpoints(env.FAILPOINT, env.TRON_NETWORK, problems),
    inForce,
  }
  for (const cidr of config.trustProxy) {
    if (/\/0+$/.test(cidr)) problems.push(`TRUST_PROXY must name proxies: "${cidr}" would trust every client`)
  }
  if (config.alarmWebhookUrl && config.alarmWebhookShape === 'telegram' && !config.alarmTelegramChat)
    problems.push('ALARM_TELEGRAM_CHAT is missing: ALARM_WEBHOOK_SHAPE=telegram needs it')
  if (config.tronNetwork === 'mainnet') {
    if (config.publicUrl?.startsWith('http:')) problems.push('PUBLIC_URL must be https on mainnet')
    if (config.consoleUrl?.startsWith('http:')) problems.push('CONSOLE_URL must be https on mainnet')
    if (config.usdtContract) problems.push('USDT_CONTRACT cannot be set on mainnet, where it is fixed')
  }
  if (config.tronNetwork === 'private' && needed.has('TRON_NETWORK') && !config.usdtContract) {
    problems.push('USDT_CONTRACT is missing: a private chain has no default')
  }
  if (problems.length > 0) throw new UsageError(problems)
  return config
}

/** Shows a setting's value, as far as it can hold no secret. */
function shownOf(given: string, { secret, urls }: Pick<Setting, 'secret' | 'urls'>): string | null {
  if (!secret) return urls ? withoutPassword(given) : given
  if (!urls) return null
  // Only a list is divided: a password may have commas, and what is before one may look like a URL.
  if (urls === 'one') return shownUrl(given)
  return given
    .split(',')
    .map(one => one.split('|').map(shownUrl).join(' | '))
    .join(', ')
}

/** Says what can be said of a wrong secret without quoting it. */
function hintOf(given: string, urls: 'one' | 'list' | undefined): string {
  if (/^.prv/.test(given)) return ' (this is a private key, which must never be given: consider it disclosed)'
  return urls
    ? ' (not shown, since it may hold a password; its special characters have to be percent-encoded)'
    : ''
}

/** Checks that the URLs of a setting can be parsed. Whoever finds out later may quote them. */
function areUrls(given: string, urls: 'one' | 'list'): boolean {
  return (urls === 'list' ? given.split(/[,|]/) : [given]).every(
    // A URL of Postgres may leave the host out, after a password too.
    url =>
      URL.canParse(url) || (url.startsWith('postgres') && URL.canParse(url.replace('@/', '@localhost/'))),
  )
}

/** What the `databaseUrl` of a configuration is called in the environment: DATABASE_URL. */
function nameOf(key: keyof Config): SettingName {
  return key.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase() as SettingName
}

/** Not a setting and not in .env.example: only the fault tests use it. */
function failpoints(
  value: string | undefined,
  network: string | undefined,
  problems: string[],
): Config['failpoints'] {
  if (!value) return []
  if (network !== 'private' && network !== 'sandbox')
    problems.push('FAILPOINT kills the process: it is only for TRON_NETWORK private or sandbox')
  const read = parseFailpoints(value)
  if (!read) problems.push(`FAILPOINT must be name, name@3 or name@3:stop, comma-separated, ${gotOf(value)}`)
  return read ?? []
}

function whole(value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number.parseInt(value, 10)
}

function port(name: SettingName, value: string | undefined, problems: string[]): number {
  const number = whole(value) ?? 0
  if (number > 65535) problems.push(`${name} must be a port from 0 to 65535, ${gotOf(value!)}`)
  return number
}

function optionalPort(name: SettingName, value: string | undefined, problems: string[]): number | undefined {
  return value === undefined ? undefined : port(name, value, problems)
}

function nodes(value: string | undefined): Config['tronNodes'] {
  return (value ?? '')
    .split(',')
    .filter(Boolean)
    .map(node => {
      const [headUrl, solidUrl, jsonRpcUrl] = node.split('|').map(url => url.trim().replace(/\/+$/, ''))
      return { headUrl: headUrl!, solidUrl: solidUrl ?? headUrl!, jsonRpcUrl }
    })
}

function networks(name: SettingName, value: string | undefined, problems: string[]): string[] {
  const list = (value ?? '')
    .split(',')
    .map(part => part.trim())
    .filter(Boolean)
  for (const cidr of list) {
    if (!isNetwork(cidr)) problems.push(`${name} must be CIDRs, comma-separated, ${gotNetwork(cidr)}`)
  }
  return list
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Reads a number with a unit, or 0. The setting's sentence says which range. */
function duration(
  name: SettingName,
  value: string | undefined,
  [min, max]: readonly [number, number],
  problems: string[],
): number {
  if (value === undefined || value === '0') return 0
  const ms = Number.parseInt(value, 10) * unitMs[value.slice(-1) as keyof typeof unitMs]
  if (ms < min || ms > max) problems.push(`${name} must be ${settingOf[name].expected}, ${gotOf(value)}`)
  return ms
}

function mailServer(
  url: string | undefined,
  from: string | undefined,
  problems: string[],
): MailServer | undefined {
  if (url === undefined) return undefined
  if (from === undefined) problems.push('SMTP_FROM is missing: SMTP_URL needs it')
  const { protocol, hostname, port, username, password } = new URL(url)
  const secure = protocol === 'smtps:'
  const decoded = (text: string) => {
    try {
      return text === '' ? undefined : decodeURIComponent(text)
    } catch {
      problems.push('SMTP_URL: user and password have to be percent-encoded')
      return undefined
    }
  }
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number.parseInt(port, 10),
    secure,
    user: decoded(username),
    password: decoded(password),
    from: from ?? '',
  }
}

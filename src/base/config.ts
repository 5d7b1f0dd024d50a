import Type from 'typebox'
import { Value } from 'typebox/value'
import { UsageError } from './errors.ts'
import { type Failpoint, parseFailpoints } from './failpoint.ts'
import { parseUsdt, type UsdtUnits } from './money.ts'
import { isNetwork } from './network-list.ts'

/**
 * Every setting: its sentence (kept in .env.example too), what a right value is, and its default or none where a
 * wrong guess would hurt. This file alone reads the environment.
 */
const settings = Type.Object({
  HOST: text('Address the API listens on.', 'an address of this machine', { default: '127.0.0.1' }),
  PORT: text('Port the API listens on.', 'a port from 0 to 65535 (0: any free one)', {
    default: '8080',
    pattern: '^[0-9]{1,5}$',
  }),
  PUBLIC_URL: text(
    'URL under which merchants and payers reach the API. On mainnet it is https.',
    'an http(s) URL',
    {
      pattern: '^https?://[^\\s]+$',
    },
  ),
  DATABASE_URL: text('Postgres 14 or newer: the truth.', 'a postgres:// URL', {
    pattern: '^postgres(ql)?://.+',
  }),
  REDIS_URL: text(
    'Redis for the queue of callbacks. Without it the queue runs on Postgres.',
    'a redis:// or rediss:// URL',
    {
      pattern: '^rediss?://.+',
    },
  ),
  MASTER_KEY: text(
    "Seals merchants' keys and secrets in the database: 32 random bytes (openssl rand -hex 32). Lose it and they are lost.",
    '32 bytes, as 64 hex digits or as base64',
    { pattern: '^([0-9a-fA-F]{64}|[A-Za-z0-9+/_-]{43}=?)$', secret: true },
  ),
  XPUB: text(
    "Account-level extended public key (m/44'/195'/0') for merchants added without one of their own.",
    'an extended public key, xpub...',
    { pattern: '^xpub[1-9A-HJ-NP-Za-km-z]{107}$' },
  ),
  TRON_NETWORK: text(
    'The network payments arrive on; a database serves one for ever.',
    'mainnet, nile, shasta, private or sandbox',
    {
      pattern: '^(mainnet|nile|shasta|private|sandbox)$',
    },
  ),
  TRON_NODES: text(
    'Nodes to follow, comma-separated, each head-url[|solid-url[|json-rpc-url]] (own nodes have a port for each).',
    'http(s) URLs: head-url[|solid-url[|json-rpc-url]],...',
    {
      pattern:
        '^https?://[^\\s,|]+(\\|https?://[^\\s,|]+){0,2}(,https?://[^\\s,|]+(\\|https?://[^\\s,|]+){0,2})*$',
    },
  ),
  NODE_REQUESTS_PER_SECOND: text(
    'Requests a second to each node, never exceeded. Default: 10 on the public networks, 1000 on a private or sandbox chain.',
    'a whole number from 1',
    { pattern: '^[1-9][0-9]{0,5}$' },
  ),
  SEEN: text(
    'Whether transfers at the unsolidified head are shown: it doubles the calls to the nodes.',
    'on or off',
    {
      default: 'on',
      pattern: '^(on|off)$',
    },
  ),
  CREDIT_QUORUM_AMOUNT: text(
    'Decimal USDT above which a transfer waits until a second node shows the same. Empty: off. Needs two nodes.',
    'a decimal amount of USDT, such as 1000',
    { pattern: '^(0|[1-9][0-9]{0,11})([.][0-9]{1,6})?$' },
  ),
  RECONCILE_URL: text(
    'TronGrid, whose history of each address ours is held against: https://api.trongrid.io on mainnet. Empty: off.',
    'an http(s) URL',
    { pattern: '^https?://[^\\s]+$' },
  ),
  RECONCILE_PER_HOUR: text(
    'Addresses compared in an hour, about two requests each, day and night.',
    'a whole number from 1',
    { default: '240', pattern: '^[1-9][0-9]{0,5}$' },
  ),
  TRONGRID_API_KEY: text('Key for TronGrid; sent to TronGrid alone.', 'the key as TronGrid shows it', {
    pattern: '^[\\x21-\\x7e]{8,128}$',
    secret: true,
  }),
  USDT_CONTRACT: text(
    "The token's contract, on any network but mainnet (default: the network's usual one; a private chain has none).",
    'a TRON address, T...',
    { pattern: '^T[1-9A-HJ-NP-Za-km-z]{33}$' },
  ),
  START_BLOCK: text(
    "First start only: the block to follow from. Default: the node's solidified head.",
    'a block height above 0',
    { pattern: '^[1-9][0-9]{0,9}$' },
  ),
  CALLBACK_ALLOWED_NETWORKS: text(
    'Networks callbacks may go to though private, and by http: comma-separated CIDRs.',
    'CIDRs, such as 127.0.0.0/8,10.1.0.0/16,::1/128',
    { default: '' },
  ),
  RATE_LIMIT_PER_MINUTE: text('Requests a merchant may make in a minute (0: no limit).', 'a whole number', {
    default: '6000',
    pattern: '^[0-9]{1,9}$',
  }),
  IP_RATE_LIMIT_PER_MINUTE: text(
    'Requests a client address may make in a minute, before authentication (0: no limit).',
    'a whole number',
    { default: '6000', pattern: '^[0-9]{1,9}$' },
  ),
  ORDER_WINDOW: text(
    "How long an order's window stays open by the chain's clock: 90s, 30m, 24h, 7d.",
    'a number with s, m, h or d, 1 minute to 90 days',
    {
      default: '24h',
      pattern: '^[1-9][0-9]{0,6}[smhd]$',
    },
  ),
  HEALTH_PORT: text(
    'Port for /healthz, /readyz and /metrics, in each process (0: off). Not for the public.',
    'a port from 0 to 65535',
    {
      default: '0',
      pattern: '^[0-9]{1,5}$',
    },
  ),
  HEALTH_HOST: text('Address the health port listens on.', 'an address of this machine', {
    default: '127.0.0.1',
  }),
  TRUST_PROXY: text(
    'Proxies whose X-Forwarded-For is believed: comma-separated CIDRs. Empty: none.',
    'CIDRs, never "true" or a number of hops',
    { default: '' },
  ),
  RETENTION_MONTHS: text(
    'Months for which the history of calls and of callback attempts is kept (0: for ever). Money is always kept.',
    'a whole number',
    { default: '13', pattern: '^[0-9]{1,3}$' },
  ),
  LOG_LEVEL: text('How much is logged.', 'fatal, error, warn, info, debug or trace', {
    default: 'info',
    pattern: '^(fatal|error|warn|info|debug|trace)$',
  }),
})

export type SettingName = keyof typeof settings.properties
export const settingNames = Object.keys(settings.properties) as SettingName[]
export type NetworkName = 'mainnet' | 'nile' | 'shasta' | 'private' | 'sandbox'

/** The environment, parsed. A setting that is absent and has no default is undefined here; `need` says who may not lack it. */
export interface Config {
  host: string
  port: number
  publicUrl: string | undefined
  databaseUrl: string | undefined
  redisUrl: string | undefined
  masterKey: Buffer | undefined
  xpub: string | undefined
  tronNetwork: NetworkName | undefined
  tronNodes: { headUrl: string; solidUrl: string; jsonRpcUrl: string | undefined }[]
  /** undefined: what suits the network. */
  nodeRequestsPerSecond: number | undefined
  seen: boolean
  /** Base units; null: off. */
  creditQuorumAmount: UsdtUnits | null
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
  trustProxy: string[]
  retentionMonths: number
  logLevel: string
  /** Where to die, for the fault tests: empty but on a chain without value. */
  failpoints: Failpoint[]
}

/**
 * Reads the environment.
 * @param needed the settings this process cannot do without.
 * @throws UsageError naming every wrong and every missing setting at once; secrets are never quoted.
 */
export function readConfig<N extends keyof Config = never>(
  env: Record<string, string | undefined>,
  needed: readonly SettingName[] = [],
): Config & { [K in N]: NonNullable<Config[K]> } {
  const problems: string[] = []
  const value = (name: SettingName): string | undefined => {
    const schema = settings.properties[name] as Setting
    // An empty line in an .env file means: not set.
    const given = env[name]?.trim() || schema.default
    if (given === undefined) {
      if (needed.includes(name))
        problems.push(`${name} is missing: ${schema.expected}. ${schema.description}`)
      return undefined
    }
    if (Value.Check(schema, given)) return given
    const quoted = schema.secret ? '' : `, got "${given}"`
    problems.push(`${name} must be ${schema.expected}${quoted}`)
    return undefined
  }
  const masterKey = value('MASTER_KEY')
  const config: Config = {
    host: value('HOST')!,
    port: port('PORT', value('PORT'), problems),
    publicUrl: value('PUBLIC_URL')?.replace(/\/+$/, ''),
    databaseUrl: value('DATABASE_URL'),
    redisUrl: value('REDIS_URL'),
    masterKey: masterKey && Buffer.from(masterKey, masterKey.length === 64 ? 'hex' : 'base64'),
    xpub: value('XPUB'),
    tronNetwork: value('TRON_NETWORK') as NetworkName | undefined,
    tronNodes: nodes(value('TRON_NODES')),
    nodeRequestsPerSecond: whole(value('NODE_REQUESTS_PER_SECOND')),
    seen: value('SEEN') !== 'off',
    creditQuorumAmount: parseUsdt(value('CREDIT_QUORUM_AMOUNT') ?? ''),
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
    orderWindowMs: orderWindow(value('ORDER_WINDOW'), problems),
    healthPort: port('HEALTH_PORT', value('HEALTH_PORT'), problems),
    healthHost: value('HEALTH_HOST')!,
    trustProxy: networks('TRUST_PROXY', value('TRUST_PROXY'), problems),
    retentionMonths: whole(value('RETENTION_MONTHS')) ?? 0,
    logLevel: value('LOG_LEVEL') ?? 'info',
    failpoints: failpoints(env.FAILPOINT, env.TRON_NETWORK, problems),
  } as Config
  for (const cidr of config.trustProxy) {
    if (/\/0+$/.test(cidr))
      problems.push(`TRUST_PROXY must name proxies: "${cidr}" would believe every client`)
  }
  if (config.tronNetwork === 'mainnet') {
    if (config.publicUrl?.startsWith('http:')) problems.push('PUBLIC_URL must be https on mainnet')
    if (config.usdtContract) problems.push('USDT_CONTRACT cannot be set on mainnet: there it is fixed')
  }
  if (config.tronNetwork === 'private' && needed.includes('TRON_NETWORK') && !config.usdtContract) {
    problems.push('USDT_CONTRACT is missing: a private chain has no usual one')
  }
  if (problems.length > 0) throw new UsageError(problems)
  return config as Config & { [K in N]: NonNullable<Config[K]> }
}

/** Not among the settings, and in no example: a gateway that serves anybody has no use for it. */
function failpoints(
  value: string | undefined,
  network: string | undefined,
  problems: string[],
): Config['failpoints'] {
  if (!value) return []
  if (network !== 'private' && network !== 'sandbox')
    problems.push('FAILPOINT kills the process: it is for TRON_NETWORK private or sandbox alone')
  const read = parseFailpoints(value)
  if (!read) problems.push(`FAILPOINT must be name, name@3 or name@3:stop, comma-separated, got "${value}"`)
  return read ?? []
}

/** What .env.example says of each setting. */
export function describeSetting(name: SettingName): { description: string; default: string | undefined } {
  const schema = settings.properties[name] as Setting
  return { description: schema.description, default: schema.default }
}

interface Setting extends Type.TString {
  description: string
  expected: string
  default?: string
  secret?: boolean
}

function text(
  description: string,
  expected: string,
  options: { default?: string; pattern?: string; secret?: boolean } = {},
) {
  return Type.String({ description, expected, ...options })
}

function whole(value: string | undefined): number | undefined {
  return value === undefined ? undefined : Number.parseInt(value, 10)
}

function port(name: SettingName, value: string | undefined, problems: string[]): number {
  const number = whole(value) ?? 0
  if (number > 65535) problems.push(`${name} must be a port from 0 to 65535, got "${value}"`)
  return number
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
    if (!isNetwork(cidr)) problems.push(`${name} must be CIDRs, comma-separated, got "${cidr}"`)
  }
  return list
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function orderWindow(value: string | undefined, problems: string[]): number {
  if (value === undefined) return 0
  const ms = Number.parseInt(value, 10) * unitMs[value.slice(-1) as keyof typeof unitMs]
  if (ms < unitMs.m || ms > 90 * unitMs.d)
    problems.push(`ORDER_WINDOW must be 1 minute to 90 days, got "${value}"`)
  return ms
}

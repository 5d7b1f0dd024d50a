/** One environment variable. */
export interface Setting {
  /** What it is, with its unit. .env.example has the same sentence. */
  description: string
  /** What a right value is, for the message about a wrong one. */
  expected: string
  /** None where a wrong guess would do harm. */
  default?: string
  pattern?: RegExp
  /** It is or may hold a secret: never quoted in a message. */
  secret?: true
  /** A key without blanks. Those that came along when it was pasted, and quotes around it, are removed. */
  pasted?: true
  /** It is also checked by parsing it: one URL, or each of a list. */
  urls?: 'one' | 'list'
}

const httpUrl = 'https?://[^\\s,|]+'
/** Without a path, which gRPC has its own of, and without a user, whose password would be sent nowhere. */
const grpcUrl = 'grpcs?://(?:\\[[0-9a-fA-F:.]+\\]|[^\\s,|/?#@:\\[\\]]+):[0-9]{1,5}/?'
/** A user has a password, without which it would be no use. */
const smtpUrl =
  'smtps?://(?:[^\\s/?#@:]+:[^\\s/?#@:]+@)?(?:\\[[0-9a-fA-F:.]+\\]|[^\\s/?#@:\\[\\]]+)(?::[0-9]{1,5})?/?'
const nodeUrls = `(?:${httpUrl}(?:\\|${httpUrl}){0,2}|${grpcUrl}(?:\\|${grpcUrl}(?:\\|${httpUrl})?)?)`

/** Every setting of the gateway. */
export const settings = {
  HOST: {
    description: 'Address the API listens on.',
    expected: 'an address of this machine',
    default: '127.0.0.1',
  },
  PORT: {
    description: 'Port the API listens on.',
    expected: 'a port from 0 to 65535 (0: any free one)',
    default: '8080',
    pattern: /^[0-9]{1,5}$/,
  },
  PUBLIC_URL: {
    description: 'URL under which merchants and payers reach the API. On mainnet it must be https.',
    expected: 'an http(s) URL',
    pattern: /^https?:\/\/\S+$/,
    urls: 'one',
  },
  CONSOLE: {
    description:
      'on: the api serves the console at /console, once the gateway has an admin. off: it does not.',
    expected: 'on or off',
    default: 'on',
    pattern: /^(on|off)$/,
  },
  CONSOLE_PORT: {
    description: "Port of the console alone. Empty: the API's own.",
    expected: 'a port from 0 to 65535 (0: any free one)',
    pattern: /^[0-9]{1,5}$/,
  },
  CONSOLE_HOST: {
    description: 'With CONSOLE_PORT: address the console listens on.',
    expected: 'an address of this machine',
    default: '127.0.0.1',
  },
  CONSOLE_URL: {
    description:
      'URL under which people reach the console. Empty: PUBLIC_URL, or with CONSOLE_PORT the host and port. On mainnet it must be https.',
    expected: 'an http(s) URL',
    pattern: /^https?:\/\/[^\s/]+\/?$/,
    urls: 'one',
  },
  DATABASE_URL: {
    description: 'Postgres 14 or newer. The system of record.',
    expected: 'a postgres:// URL',
    pattern: /^postgres(ql)?:\/\/.+/,
    secret: true,
    urls: 'one',
  },
  DATABASE_POOL: {
    description:
      'The most connections to Postgres that each process opens. Empty: 20 in an api, 11 in a watcher, 12 in a courier (28 without Redis).',
    expected: 'a whole number from 2',
    pattern: /^([2-9]|[1-9][0-9]{1,2})$/,
  },
  REDIS_URL: {
    description: 'Redis for the queue of callbacks. Without it the queue runs on Postgres.',
    expected: 'a redis:// or rediss:// URL',
    pattern: /^rediss?:\/\/.+/,
    secret: true,
    urls: 'one',
  },
  MASTER_KEY: {
    description:
      "Encrypts merchants' keys and secrets in the database: 32 random bytes (openssl rand -hex 32). Without it they cannot be read.",
    expected: '32 bytes, as 64 hex digits or as base64',
    pattern: /^([0-9a-fA-F]{64}|[A-Za-z0-9+/_-]{43}=?)$/,
    secret: true,
    pasted: true,
  },
  XPUB: {
    description:
      "Account-level extended public key (m/44'/195'/0') for merchants added without one of their own.",
    expected: 'an extended public key, xpub...',
    pattern: /^xpub[1-9A-HJ-NP-Za-km-z]{107}$/,
    secret: true,
    pasted: true,
  },
  TRON_NETWORK: {
    description: 'The network payments arrive on. A database is bound to one network permanently.',
    expected: 'mainnet, nile, shasta, private or sandbox',
    pattern: /^(mainnet|nile|shasta|private|sandbox)$/,
  },
  TRON_NODES: {
    description:
      'Nodes to follow, comma-separated, each head-url[|solid-url[|json-rpc-url]] (your own node has a port for each). http(s):// or grpc(s)://.',
    expected:
      'URLs: head-url[|solid-url[|json-rpc-url]],..., the first two both http(s):// or both grpc(s)://host:port, the third http(s)://',
    pattern: new RegExp(`^${nodeUrls}(,${nodeUrls})*$`),
    secret: true,
    urls: 'list',
  },
  NODE_REQUESTS_PER_SECOND: {
    description:
      'Requests a second to each node, never exceeded. Default: 10 on the public networks, 1000 on a private or sandbox chain.',
    expected: 'a whole number from 1',
    pattern: /^[1-9][0-9]{0,5}$/,
  },
  NODE_REQUESTS_PER_DAY: {
    description:
      'Requests to each node in a day (UTC). Crediting goes first: what it leaves is spread over the day. Empty: any number.',
    expected: 'a whole number from 1000',
    pattern: /^[1-9][0-9]{3,8}$/,
  },
  SEEN: {
    description:
      'Whether transfers that are not solidified yet are shown. A block then costs 2 calls to the nodes instead of 1.4.',
    expected: 'on or off',
    default: 'on',
    pattern: /^(on|off)$/,
  },
  CREDIT_QUORUM_AMOUNT: {
    description:
      'Decimal USDT above which a transfer waits until a second node shows the same, of another host if there is one. Empty: off. Needs two nodes.',
    expected: 'a decimal amount of USDT, such as 1000',
    pattern: /^(0|[1-9][0-9]{0,11})([.][0-9]{1,6})?$/,
  },
  CREDIT_ALONE_AMOUNT: {
    description:
      'Decimal USDT up to which one host is believed alone, where nobody signed the transfer itself. Default: 100 with one host, nothing with two or more.',
    expected: 'a decimal amount of USDT, such as 100; 0: nobody is believed alone',
    pattern: /^(0|[1-9][0-9]{0,11})([.][0-9]{1,6})?$/,
  },
  RECONCILE_URL: {
    description:
      'TronGrid, with whose history of each address ours is compared: https://api.trongrid.io on mainnet. Empty: off.',
    expected: 'an http(s) URL',
    pattern: /^https?:\/\/\S+$/,
    secret: true,
    urls: 'one',
  },
  RECONCILE_PER_HOUR: {
    description: 'Addresses compared with TronGrid in an hour, about two requests each.',
    expected: 'a whole number from 1',
    default: '240',
    pattern: /^[1-9][0-9]{0,5}$/,
  },
  TRONGRID_API_KEY: {
    description: 'Key for TronGrid. It is sent to TronGrid only.',
    expected: 'the key as TronGrid shows it',
    pattern: /^[\x21-\x7e]{8,128}$/,
    secret: true,
    pasted: true,
  },
  USDT_CONTRACT: {
    description:
      "The token's contract, on any network but mainnet (default: the network's usual one; a private chain has none).",
    expected: 'a TRON address, T...',
    pattern: /^T[1-9A-HJ-NP-Za-km-z]{33}$/,
  },
  START_BLOCK: {
    description: "First start only: the block to follow from. Default: the node's solidified head.",
    expected: 'a block height above 0',
    pattern: /^[1-9][0-9]{0,9}$/,
  },
  CONSOLE_CHANGE_DELAY: {
    description:
      "When a callback URL takes effect that a merchant's people change in the console: 30m, 1h, 1d. Until then they can cancel it. 0: at once.",
    expected: 'a number with s, m, h or d, at most 30 days, or 0',
    default: '1h',
    pattern: /^(0|[1-9][0-9]{0,6}[smhd])$/,
  },
  CALLBACK_ALLOWED_NETWORKS: {
    description:
      'Private networks that callbacks may be sent to, also by http: comma-separated CIDRs. Empty: none.',
    expected: 'CIDRs, such as 127.0.0.0/8,10.1.0.0/16,::1/128',
    default: '',
  },
  RATE_LIMIT_PER_MINUTE: {
    description: 'Requests a merchant may make in a minute (0: no limit).',
    expected: 'a whole number',
    default: '6000',
    pattern: /^[0-9]{1,9}$/,
  },
  IP_RATE_LIMIT_PER_MINUTE: {
    description: 'Requests a client address may make in a minute, before authentication (0: no limit).',
    expected: 'a whole number',
    default: '6000',
    pattern: /^[0-9]{1,9}$/,
  },
  ORDER_WINDOW: {
    description: "How long an order's window stays open by the chain's clock: 90s, 30m, 24h, 7d.",
    expected: 'a number with s, m, h or d, 1 minute to 90 days',
    default: '24h',
    pattern: /^[1-9][0-9]{0,6}[smhd]$/,
  },
  HEALTH_PORT: {
    description:
      'Port for /healthz, /readyz and /metrics, in each process (0: off). Keep it off the internet.',
    expected: 'a port from 0 to 65535',
    default: '0',
    pattern: /^[0-9]{1,5}$/,
  },
  HEALTH_HOST: {
    description: 'Address the health port listens on.',
    expected: 'an address of this machine',
    default: '127.0.0.1',
  },
  ALARM_WEBHOOK_URL: {
    description:
      'URL that alarms are sent to (POST, JSON). Private addresses and http are allowed. Empty: none.',
    expected: 'an http(s) URL',
    pattern: /^https?:\/\/\S+$/,
    secret: true,
    urls: 'one',
  },
  ALARM_WEBHOOK_SHAPE: {
    description: 'What is sent there: plain JSON, or what Slack or Telegram expects.',
    expected: 'plain, slack or telegram',
    default: 'plain',
    pattern: /^(plain|slack|telegram)$/,
  },
  ALARM_WEBHOOK_SECRET: {
    description: 'Signs alarms as the Standard Webhooks specification says. Empty: they are not signed.',
    expected: 'whsec_ and base64 of 24 to 64 bytes',
    pattern: /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/,
    secret: true,
    pasted: true,
  },
  ALARM_TELEGRAM_CHAT: {
    description: 'With ALARM_WEBHOOK_SHAPE=telegram: the chat, a number or @name.',
    expected: 'a number such as -1001234567890, or @name',
    pattern: /^(-?[0-9]{1,20}|@[A-Za-z0-9_]{1,64})$/,
  },
  SMTP_URL: {
    description:
      'Mail server that tells people of changes: smtp[s]://[user:password@]host[:port]. A password is sent over TLS only. Empty: no mails.',
    expected: 'smtp[s]://[user:password@]host[:port], with special characters percent-encoded',
    pattern: new RegExp(`^${smtpUrl}$`),
    secret: true,
    urls: 'one',
  },
  SMTP_FROM: {
    description: 'With SMTP_URL: the address that mails come from.',
    expected: 'a mail address, such as gateway@example.com',
    pattern: /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}([.][A-Za-z0-9-]{1,63})*$/,
  },
  HEARTBEAT_URL: {
    description:
      'URL that the leading watcher calls (GET) every minute while the gateway works. Empty: none.',
    expected: 'an http(s) URL',
    pattern: /^https?:\/\/\S+$/,
    secret: true,
    urls: 'one',
  },
  TRUST_PROXY: {
    description: 'Proxies whose X-Forwarded-For is trusted: comma-separated CIDRs. Empty: none.',
    expected: 'CIDRs, never "true" or a number of hops',
    default: '',
  },
  RETENTION_MONTHS: {
    description:
      'Months for which the history of calls and of callback attempts is kept (0: forever). Orders and credits are always kept.',
    expected: 'a whole number',
    default: '13',
    pattern: /^[0-9]{1,3}$/,
  },
  LOG_LEVEL: {
    description: 'The least severe level that is logged.',
    expected: 'fatal, error, warn, info, debug or trace',
    default: 'info',
    pattern: /^(fatal|error|warn|info|debug|trace)$/,
  },
} satisfies Record<string, Setting>

export type SettingName = keyof typeof settings

/** The settings by name, with all that a setting may have. */
export const settingOf: Readonly<Record<SettingName, Setting>> = settings

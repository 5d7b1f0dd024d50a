import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { after } from 'node:test'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import type { Clock } from '../../src/base/clock.ts'
import { type ConfigOf, readConfig } from '../../src/base/config.ts'
import type { Logger } from '../../src/base/log.ts'
import type { Registry } from '../../src/base/metrics.ts'
import { createPool, type Pool } from '../../src/db/pool.ts'
import { createPrisma, type Prisma } from '../../src/db/prisma-client.ts'
import { openReadPool } from '../../src/db/read-pool.ts'
import { type AppOptions, buildApp } from '../../src/http/app.ts'
import { clientAddressOf, limitKeyOf } from '../../src/http/limits/client-address.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { type MerchantDirectory, openMerchantDirectory } from '../../src/merchants/merchant-directory.ts'
import type { SignatureScheme } from '../../src/merchants/signature.ts'
import { openCheckout } from '../../src/web/checkout/open-checkout.ts'
import { cloneDatabase } from './database.ts'
import { type Caller, formBody, signed } from './signed-request.ts'

/** "all all all ...", m/44'/195'/0': a public test key. */
export const testXpub =
  'xpub6DCWphzD1URX6NLY4bzJQoNz3Ja14ueGphAz3c7XdzyfR3hbsv4XybKuXVPSGFiASvcugTyiJrQyw5u33izp6rB1W9fgZM4ugKQJQBcEFo8'
/** "abandon ... about", m/44'/195'/0': another one. */
export const otherXpub =
  'xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd'

export interface Answer {
  httpStatus: number
  headers: LightMyRequestResponse['headers']
  /** The envelope. */
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever the wire says; each test says what that is.
  data: any
  err?: string
  code?: string
  text: string
}

export interface ApiUnderTest {
  url: string
  pool: Pool
  prisma: Prisma
  masterKey: Buffer
  merchants: MerchantDirectory
  app: FastifyInstance
  options: AppOptions
  /** Everything that was logged, unredacted, as text. */
  logged(): string
  /** A merchant the API knows at once. */
  addMerchant(options?: { scheme?: SignatureScheme; callbackUrl?: string; xpub?: string }): Promise<Caller>
  /** Signs and posts, by form unless said otherwise. */
  ask(
    caller: Caller,
    endpoint: string,
    parameters: Record<string, string>,
    as?: 'form' | 'json',
  ): Promise<Answer>
  /** Posts a body as it is. */
  post(endpoint: string, body: string | Buffer, contentType?: string): Promise<Answer>
}

export const form = 'application/x-www-form-urlencoded'
export const json = 'application/json'

export interface ApiSettings {
  clock?: Clock
  /** false: nothing is watched yet. */
  watched?: boolean
  redisUrl?: string
  registry?: Registry
  /** Where the app reaches its database: by way of a proxy, say. The test's own pool goes there directly. */
  databaseBehind?: (url: string) => Promise<string>
}

/** The app we ship on a database of its own, following a chain unless `watched` is false. */
export async function openApiUnderTest(
  settings: Partial<AppOptions['config']> & ApiSettings = {},
): Promise<ApiUnderTest> {
  const { url, pool } = await cloneDatabase()
  const appUrl = settings.databaseBehind ? await settings.databaseBehind(url) : url
  const appPool = settings.databaseBehind ? createPool(appUrl) : pool
  const reads = openReadPool(appUrl)
  const prisma = createPrisma(reads)
  const masterKey = randomBytes(32)
  const { log, logged } = memoryLog()
  if (settings.watched !== false) await followChain(pool)
  const merchants = await openMerchantDirectory({ pool: appPool, masterKey, log })
  const { clock, watched: _, databaseBehind: __, redisUrl, registry, ...config } = settings
  const options: AppOptions = {
    pool: appPool,
    reads,
    prisma,
    merchants,
    config: {
      orderWindowMs: 86_400_000,
      rateLimitPerMinute: 0,
      ipRateLimitPerMinute: 0,
      trustProxy: [],
      callbackAllowedNetworks: [],
      tronNetwork: 'nile',
      ...config,
    },
    publicUrl: () => 'https://pay.example',
    pages: openCheckout({
      ...{ pool: reads, config: { tronNetwork: 'nile', tronNodes: [] }, log },
      clientOf: request => limitKeyOf(clientAddressOf(request)),
    }).register,
    log,
    redisUrl,
    ...(clock && { clock }),
    ...(registry && { registry }),
  }
  const app = await buildApp(options)
  after(async () => {
    await app.close()
    await merchants.close()
    await prisma.$disconnect()
    await reads.end()
    if (appPool !== pool) await appPool.end()
  })
  const post = async (endpoint: string, body: string | Buffer, contentType = form) =>
    readAnswer(
      await app.inject({
        method: 'POST',
        url: `/api/merchant/${endpoint}`,
        headers: { 'content-type': contentType },
        payload: body,
      }),
    )
  return {
    url,
    pool,
    prisma,
    masterKey,
    merchants,
    app,
    options,
    logged,
    post,
    addMerchant: async ({ scheme = 'hmac-sha256', callbackUrl, xpub = testXpub } = {}) => {
      const checkUrl = () => null
      const added = await addMerchant(pool, masterKey, { name: 'shop', xpub, scheme, callbackUrl, checkUrl })
      await merchants.refresh()
      return { appid: added.appid, key: added.key, scheme }
    },
    ask: (caller, endpoint, parameters, as = 'form') => {
      const all = signed(caller, endpoint, parameters)
      return as === 'form' ? post(endpoint, formBody(all)) : post(endpoint, JSON.stringify(all), json)
    },
  }
}

/** The configuration of an api process on the same database. It listens on any free port. */
export function processConfig({ url, masterKey, options }: ApiUnderTest): ConfigOf<'api'> {
  const env = {
    DATABASE_URL: url,
    MASTER_KEY: masterKey.toString('hex'),
    TRON_NETWORK: 'sandbox',
    PORT: '0',
  }
  return { ...readConfig(env, 'api'), ...options.config }
}

/** Reads an answer, which is always the envelope. */
export function readAnswer(response: LightMyRequestResponse): Answer {
  return {
    ...response.json(),
    httpStatus: response.statusCode,
    headers: response.headers,
    text: response.body,
  }
}

/** Writes the cursor, as the watcher's first start does. @param blockTime the solidified head's. */
export async function followChain(pool: Pool, blockTime = new Date()): Promise<void> {
  await pool.query(
    `insert into chain_cursor (network, genesis_id, usdt_contract, start_height, height, hash, block_time)
     values ('sandbox', repeat('0', 64), 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t', 1, 1, repeat('1', 64), $1)
         on conflict (single) do update set block_time = excluded.block_time`,
    [blockTime],
  )
}

/** How many rows there are of everything a request can write. */
export async function countRows(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query(
    `select (select count(*) from recharge_order)::int as orders, (select count(*) from deposit_address)::int as addresses,
            (select coalesce(sum(next_index), 0) from address_counter)::float8 as indexes,
            (select count(*) from request_nonce)::int as nonces`,
  )
  return rows[0]
}

export function memoryLog(): { log: Logger; logged: () => string } {
  const lines: string[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  // No redaction: the test is whether anything secret is handed to the log at all.
  return { log: pino({ level: 'trace' }, sink), logged: () => lines.join('') }
}

import { randomBytes } from 'node:crypto'
import { after } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { inTransaction, type Pool } from '../../src/db/pool.ts'
import { openReadPool } from '../../src/db/read-pool.ts'
import { openPages } from '../../src/http/app.ts'
import { clientAddressOf, limitKeyOf } from '../../src/http/limits/client-address.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'
import { openMerchantDirectory } from '../../src/merchants/merchant-directory.ts'
import { hashPassword } from '../../src/people/password.ts'
import type { Role } from '../../src/people/permission.ts'
import { ensureUser, setAdmin, setPassword, setRole, type User } from '../../src/people/user-store.ts'
import type { ConsoleOptions } from '../../src/web/console/console-app.ts'
import { openConsole } from '../../src/web/console/open-console.ts'
import { memoryLog } from './api-under-test.ts'
import { cloneDatabase } from './database.ts'

/** What every person of these tests signs in with. Hashed once: it takes a tenth of a second. */
export const testPassword = 'correct horse battery'
const testHash = hashPassword(testPassword, { by: 'test', known: true })

export interface TestAnswer {
  status: number
  text: string
  location: string | undefined
  headers: Record<string, unknown>
}

/** A browser without a screen: it keeps cookies, and sends the hidden field with each form. */
export interface TestVisitor {
  /** Follows nothing. */
  get(path: string): Promise<TestAnswer>
  /** Posts a form. The hidden field comes from the page that was got last; `csrf: false` leaves it out. */
  post(
    path: string,
    fields?: Record<string, string>,
    options?: { csrf?: boolean; headers?: Record<string, string> },
  ): Promise<TestAnswer>
  /** Posts as the browser's module does. */
  postJson(path: string, body: object): Promise<TestAnswer>
  cookies: Map<string, string>
}

/**
 * The console on a database of its own, with an admin.
 * @param settings of the environment, on top of what is needed.
 */
export async function openConsoleUnderTest(settings: Record<string, string> = {}) {
  const center = await openConsoleOn(await cloneDatabase(), settings)
  after(center.close)
  return center
}

/** The same on a database that is there. Who opens it closes it. */
export async function openConsoleOn(
  { url, pool }: { url: string; pool: Pool },
  settings: Record<string, string> = {},
) {
  const reads = openReadPool(url)
  const { log, logged } = memoryLog()
  const env = {
    DATABASE_URL: url,
    MASTER_KEY: randomBytes(32).toString('hex'),
    TRON_NETWORK: 'nile',
    PUBLIC_URL: 'https://pay.example',
    IP_RATE_LIMIT_PER_MINUTE: '0',
    ...settings,
  }
  const config = readConfig(env, 'api')
  const publicUrl = () => config.publicUrl!
  const merchants = await openMerchantDirectory({ pool, masterKey: config.masterKey, log })
  const options: Omit<ConsoleOptions, 'tests'> = {
    ...{ pool, reads, config, merchants, log, publicUrl, payUrl: publicUrl },
    clientOf: request => limitKeyOf(clientAddressOf(request)),
    addressOf: clientAddressOf,
  }
  const registry = createMetrics()
  const app = await openPages({ pool, config, log, registry, pages: openConsole(options).register })
  const close = async () => {
    await app.close()
    await merchants.close()
    await reads.end()
  }

  const visitor = (): TestVisitor => {
    const cookies = new Map<string, string>()
    let csrf = ''
    const send = async (
      method: 'GET' | 'POST',
      path: string,
      payload?: string,
      more: Record<string, string> = {},
    ): Promise<TestAnswer> => {
      const response = await app.inject({
        method,
        url: path,
        headers: {
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(payload !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...more,
        },
        ...(payload !== undefined && { payload }),
      })
      for (const { name, value, maxAge, expires } of response.cookies as {
        name: string
        value: string
        maxAge?: number
        expires?: Date
      }[]) {
        if (value === '' || maxAge === 0 || (expires && expires < new Date())) cookies.delete(name)
        else cookies.set(name, encodeURIComponent(value))
      }
      csrf = /name="_csrf" value="([^"]*)"/.exec(response.body)?.[1] ?? csrf
      return {
        status: response.statusCode,
        text: response.body,
        location: response.headers.location,
        headers: response.headers,
      }
    }
    return {
      cookies,
      get: path => send('GET', path),
      postJson: (path, body) =>
        send('POST', path, JSON.stringify(body), {
          'content-type': 'application/json',
          'x-csrf-token': csrf,
        }),
      post: (path, fields = {}, { csrf: withCsrf = true, headers } = {}) => {
        const all = { ...fields, ...(withCsrf && { _csrf: csrf }) }
        return send('POST', path, new URLSearchParams(all).toString(), headers)
      },
    }
  }

  /** Adds a person, with a password, who is an admin or has roles. */
  const addPerson = async (
    email: string,
    { admin = false, roles = [] as (readonly [Merchant, Role])[], name = email.split('@')[0]! } = {},
  ): Promise<User> => {
    const password = await testHash
    return inTransaction(pool, async tx => {
      const user = await ensureUser(tx, email)
      await setPassword(tx, user.id, { password, name })
      await setAdmin(tx, user.id, admin)
      for (const [merchant, role] of roles) await setRole(tx, user.id, merchant.id, role)
      return { ...user, name, admin }
    })
  }

  /**
   * Signs a person in without the pages for that, which have tests of their own.
   * @param options.confirmed the second factor was given just now.
   */
  const signedIn = async (user: User, { confirmed = false } = {}): Promise<TestVisitor> => {
    const visit = visitor()
    // Signing in gives the id; with what it keeps, the second factor may be as fresh as the test wants.
    await visit.get('/console/sign-in')
    const answer = await visit.post('/console/sign-in', { email: user.email, password: testPassword })
    if (answer.status !== 303) throw new Error(`could not sign in: ${answer.status} ${answer.text}`)
    if (confirmed)
      await pool.query(`update console_session set second_factor_at = now() where user_id = $1`, [user.id])
    await visit.get('/console/confirm')
    return visit
  }

  const admin = await addPerson('root@example.com', { admin: true, name: 'Root' })
  return {
    app,
    close,
    pool,
    reads,
    url,
    config,
    merchants,
    options,
    logged,
    visitor,
    addPerson,
    signedIn,
    admin,
  }
}

export type ConsoleUnderTest = Awaited<ReturnType<typeof openConsoleUnderTest>>

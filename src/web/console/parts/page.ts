import type { FastifyRequest } from 'fastify'
import type { ConfigOf } from '../../../base/config.ts'
import { GatewayError } from '../../../base/errors.ts'
import type { MerchantId, UserId } from '../../../base/ids.ts'
import type { Logger } from '../../../base/log.ts'
import type { CountResent } from '../../../callbacks/outbox/resend-limits.ts'
import type { TestContext } from '../../../callbacks/sending/test-callback.ts'
import type { Author } from '../../../db/audit-store.ts'
import type { Pool } from '../../../db/pool.ts'
import type { MerchantDirectory } from '../../../merchants/merchant-directory.ts'
import { may, type Permission, type Role } from '../../../people/permission.ts'
import type { Session } from '../../../people/session-store.ts'
import type { Membership, User } from '../../../people/user-store.ts'
import type { Locale } from '../../shell/locale.ts'
import type { TransactionAsker } from '../asking/ask-transaction.ts'

/** What the pages use. */
export interface ConsoleContext {
  /** For writing. */
  pool: Pool
  /** For what pages show: a pool of its own, so that taking orders does not notice it. */
  reads: Pool
  config: ConfigOf<'api'>
  merchants: MerchantDirectory
  /** What test callbacks are sent with. */
  tests: TestContext
  /** Where people reach the console, without a slash at its end. */
  publicUrl: () => string
  /** Where payers reach their pages, without a slash at its end. */
  payUrl: () => string
  /** Asks a node what became of a transaction: seldom, since each call counts. */
  transactions: TransactionAsker
  /** Counts what is sent again at a click. */
  countResent: CountResent
  log: Logger
}

/** Who looks at a page. */
export interface Viewer {
  user: User
  session: Session
  /** The session's id, which its cookie carries. */
  sessionId: string
  memberships: readonly Membership[]
}

/** An account, as a browser is known by it. */
export interface BrowserAccount {
  id: UserId
  /** As it is kept. */
  password: string | null
}

/** What is known of the browser that a request comes from. */
export interface KnownBrowser {
  /** Names it if this account has signed in in it before; null: it has not, or there is no such account. */
  nameFor(account: BrowserAccount | null): string | null
  /** Knows it from now on: the account has signed in. */
  remember(account: BrowserAccount): void
}

/** The merchant that a page is about. */
export interface PageMerchant {
  id: MerchantId
  appid: string
  name: string
}

/** A query or a form, as text. A name that is given twice has its first value. */
export interface Texts {
  /** Trimmed; '' when it is not there. */
  text(name: string): string
  /** All values of a name. */
  all(name: string): string[]
  has(name: string): boolean
}

/** One request for a page, and all that its handler needs. */
export interface Page {
  context: ConsoleContext
  request: FastifyRequest
  locale: Locale
  now: Date
  /** The path's parameters. */
  params: Readonly<Record<string, string>>
  query: Texts
  /** Of a POST. */
  form: Texts
  /** null: nobody has signed in. */
  viewer: Viewer | null
  /** null: all merchants (an admin), or none. */
  merchant: PageMerchant | null
  /** Of `merchant`: 'admin' for an admin. null: none. */
  role: Role | 'admin' | null
  /** For the hidden field of each form; `Form` writes it. */
  csrf: string
  /** Where the client is: an IPv4 or IPv6 address. */
  address: string
  /** The client, as limits count it. */
  client: string
  browser: KnownBrowser
}

export const consolePath = '/console'

/** Chooses a page's words. */
export function wordsOf<W>(page: Pick<Page, 'locale'>, words: Record<Locale, W>): W {
  return words[page.locale]
}

/** Checks what the viewer may do here: what is not allowed is not shown. */
export function can(page: Page, permission: Permission): boolean {
  return may(page.role, permission)
}

/** @throws GatewayError not_found when nobody has signed in; routes that are not for `anyone` have a viewer. */
export function viewerOf(page: Page): Viewer {
  if (!page.viewer) throw new GatewayError('not_found', 'no page without signing in')
  return page.viewer
}

/** Names the person for the audit: `Ada Lovelace <ada@example.com>`. */
export function actorOf(page: Page): string {
  const { user } = viewerOf(page)
  return `${user.name} <${user.email}>`
}

/** Names the person, and where they are, for what they change: as its author. @param reason why, as they put it. */
export function authorOfPage(page: Page, reason?: string): Author {
  return { actor: actorOf(page), address: page.address, reason }
}

/** The scope of what is read: a merchant's id; null for all, which only admins have. */
export function scopeOf(page: Page): MerchantId | null {
  if (page.merchant) return page.merchant.id
  if (page.role === 'admin') return null
  throw new GatewayError('not_found', 'this person is a member of no merchant')
}

/** @throws GatewayError not_found where the page is about all merchants. */
export function merchantOf(page: Page): PageMerchant {
  if (!page.merchant) throw new GatewayError('not_found', 'choose a merchant first')
  return page.merchant
}

/** Values of a query. Those that are empty are left out. */
export type QueryValues = Record<string, string | number | null | undefined>

/**
 * Makes a link inside the console; it stays with the merchant that the page is about.
 * @param path after `/console`. @param query values; null, undefined and '' are left out.
 */
export function href(page: Pick<Page, 'merchant' | 'viewer'>, path: string, query: QueryValues = {}): string {
  const { merchant, viewer } = page
  const chooses = viewer !== null && (viewer.user.admin || viewer.memberships.length > 1)
  const values = Object.entries({ merchant: merchant && chooses ? merchant.appid : null, ...query })
  const kept = values.filter(([, value]) => value !== null && value !== undefined && value !== '')
  const search = new URLSearchParams(kept.map(([name, value]) => [name, `${value}`])).toString()
  return `${consolePath}${path === '/' ? '' : path}${search && `?${search}`}`
}

/** Where a form was sent from, if that was a page of ours. */
export function refererOf({ request }: Pick<Page, 'request'>): string | undefined {
  const { referer } = request.headers
  if (!referer || !URL.canParse(referer)) return undefined
  const { pathname, search } = new URL(referer)
  return pathname.startsWith(consolePath) ? pathname + search : undefined
}

/** The page's own query with some values changed: filters and pages of a list. */
export function hrefWith(page: Page, path: string, names: readonly string[], changed: QueryValues): string {
  const kept = Object.fromEntries(names.map(name => [name, page.query.text(name)]))
  return href(page, path, { ...kept, ...changed })
}

/** Reads a parsed query or form. */
export function textsOf(values: unknown): Texts {
  const all = (name: string): string[] => {
    const value = Object.hasOwn(Object(values), name) ? (values as Record<string, unknown>)[name] : undefined
    const texts = (Array.isArray(value) ? value : [value]).filter(one => typeof one === 'string')
    // No text in Postgres has one.
    return texts.map(text => text.replaceAll('\0', ''))
  }
  return {
    all,
    text: name => (all(name)[0] ?? '').trim(),
    has: name => all(name).length > 0,
  }
}

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BrowserAccount, KnownBrowser } from './parts/page.ts'

/** So long after the last sign-in. */
const knownDays = 180
/** Some people have an account as an admin and one of their own. */
const accountsMax = 4

/**
 * Recognizes browsers in which an account has signed in before, by a cookie. It opens nothing: what is tried in such a browser is only
 * counted by itself. So whoever knows a mail address and fails again and again keeps nobody out who has signed in before.
 *
 * The cookie is bound to the password: a new one ends it. We rejected the client's address instead, since addresses change.
 */
export function openKnownBrowsers(options: {
  key: string
  cookieName: string
  cookie: { path: string; httpOnly: boolean; secure: boolean; sameSite: 'lax' }
}): (request: FastifyRequest, reply: FastifyReply) => KnownBrowser {
  const { key, cookieName } = options
  const signed = (name: string, { id, password }: BrowserAccount) =>
    createHmac('sha256', key).update(`${name} ${id} ${password}`).digest()
  /** What the cookie has: a name and its signature for each account that has signed in. */
  const entriesOf = (request: FastifyRequest): { name: string; mac: string }[] =>
    (request.cookies[cookieName] ?? '').split('~', accountsMax).flatMap(entry => {
      const [, name, mac] = /^([\w-]{22})\.([\w-]{43})$/.exec(entry) ?? []
      return name && mac ? [{ name, mac }] : []
    })
  const nameIn = (request: FastifyRequest, account: BrowserAccount): string | null => {
    const isOf = ({ name, mac }: { name: string; mac: string }) =>
      timingSafeEqual(Buffer.from(mac, 'base64url'), signed(name, account))
    return (account.password && entriesOf(request).find(isOf)?.name) || null
  }
  return (request, reply) => ({
    nameFor: account => {
      const name = account && nameIn(request, account)
      return name && `browser ${name} ${account.id}`
    },
    remember: account => {
      // It keeps its name, so that its counts go on.
      const name = nameIn(request, account) ?? randomBytes(16).toString('base64url')
      const own = { name, mac: signed(name, account).toString('base64url') }
      const entries = [own, ...entriesOf(request).filter(one => one.name !== name)].slice(0, accountsMax)
      const value = entries.map(one => `${one.name}.${one.mac}`).join('~')
      reply.setCookie(cookieName, value, { ...options.cookie, maxAge: knownDays * 86_400 })
    },
  })
}

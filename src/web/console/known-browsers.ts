import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BrowserAccount, KnownBrowser } from './parts/page.ts'

/** So long after the last sign-in. */
const knownDays = 180

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
  const nameIn = (request: FastifyRequest, account: BrowserAccount): string | null => {
    const [, name, mac] = /^([\w-]{22})\.([\w-]{43})$/.exec(request.cookies[cookieName] ?? '') ?? []
    if (!account.password || !name || !mac) return null
    return timingSafeEqual(Buffer.from(mac, 'base64url'), signed(name, account)) ? name : null
  }
  return (request, reply) => ({
    nameFor: account => {
      const name = account && nameIn(request, account)
      return name && `browser ${name} ${account.id}`
    },
    remember: account => {
      // It keeps its name, so that its counts go on.
      const name = nameIn(request, account) ?? randomBytes(16).toString('base64url')
      const mac = signed(name, account).toString('base64url')
      reply.setCookie(cookieName, `${name}.${mac}`, { ...options.cookie, maxAge: knownDays * 86_400 })
    },
  })
}

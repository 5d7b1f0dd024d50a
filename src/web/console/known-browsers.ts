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
  return (request, reply) => ({
    nameFor: account => {
      const [, name, mac] = /^([\w-]{22})\.([\w-]{43})$/.exec(request.cookies[cookieName] ?? '') ?? []
      if (!account?.password || !name || !mac) return null
      const isRight = timingSafeEqual(Buffer.from(mac, 'base64url'), signed(name, account))
      return isRight ? `browser ${name} ${account.id}` : null
    },
    remember: account => {
      const name = randomBytes(16).toString('base64url')
      const mac = signed(name, account).toString('base64url')
      reply.setCookie(cookieName, `${name}.${mac}`, { ...options.cookie, maxAge: knownDays * 86_400 })
    },
  })
}

import { hkdfSync } from 'node:crypto'
import { Readable } from 'node:stream'
import cookie from '@fastify/cookie'
import csrf from '@fastify/csrf-protection'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import session from '@fastify/session'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { systemClock } from '../../base/clock.ts'
import { csvLine } from '../../base/csv.ts'
import { type ErrorCode, GatewayError, UsageError } from '../../base/errors.ts'
import { limitResends } from '../../callbacks/outbox/resend-limits.ts'
import { isPassingDatabaseError } from '../../db/outage.ts'
import { rows } from '../../db/pool.ts'
import { tookTooLong } from '../../db/read-pool.ts'
import { invitationPath } from '../../people/invitation-store.ts'
import { TooManySignIns } from '../../people/password-turns.ts'
import { may } from '../../people/permission.ts'
import { hasAdmin } from '../../people/user-store.ts'
import { chooseLocale, type Locale } from '../shell/locale.ts'
import { sendAsset, sendHtml } from '../shell/send-page.ts'
import { openTransactionAsker } from './asking/ask-transaction.ts'
import { consoleRoutes } from './console-routes.ts'
import { openKnownBrowsers } from './known-browsers.ts'
import { isConfirmed } from './parts/confirmed.ts'
import { openFileTurns } from './parts/file-turns.ts'
import { consoleAssets, renderConsole } from './parts/layout.tsx'
import { readMultipart } from './parts/multipart.ts'
import {
  type ConsoleContext,
  consolePath,
  href,
  type Page,
  type PageMerchant,
  refererOf,
  textsOf,
  type Viewer,
  viewerOf,
} from './parts/page.ts'
import { type ProblemKind, problemPage } from './parts/problem-page.tsx'
import type { Answer, ConsoleRoute, CsvAnswer } from './parts/route.ts'
import { openSessions, readViewer } from './sessions.ts'

export interface ConsoleOptions extends Omit<ConsoleContext, 'transactions' | 'countResent'> {
  /** Whom a request is counted for. */
  clientOf: (request: FastifyRequest) => string
  addressOf: (request: FastifyRequest) => string
}

/** By which the metrics know these requests. */
const config = { endpoint: 'console' }

/** The first admin has a link before there is an admin. */
const invitations = invitationPath('')

/**
 * Serves the console, in a scope of its own: its cookies, forms and headers concern nothing else. Until the gateway has an
 * admin it answers as if it were not there.
 */
export const consoleApp = fastifyPlugin<ConsoleOptions>(
  async (app, options) => {
    const { reads, pool, config: settings, publicUrl, clientOf, addressOf, log } = options
    const secure = publicUrl().startsWith('https:') || settings.tronNetwork === 'mainnet'
    const cookieName = (name: string) => (secure ? `__Host-${name}` : name)
    const cookieOptions = { path: '/', httpOnly: true, secure, sameSite: 'lax' } as const
    const keyFor = (purpose: string) =>
      Buffer.from(hkdfSync('sha256', settings.masterKey, '', `console ${purpose}`, 32)).toString('base64')

    const transactions = openTransactionAsker({ pool, config: settings, log })
    app.addHook('onClose', () => transactions.close())
    const context: ConsoleContext = { ...options, transactions, countResent: limitResends(systemClock) }
    const browserOf = openKnownBrowsers({
      ...{ key: keyFor('browsers'), cookieName: cookieName('known'), cookie: cookieOptions },
    })

    let isOpen = false
    app.addHook('onRequest', async (request, reply) => {
      // Who reaches us by an https URL speaks https with the proxy in front, and the cookies are for that.
      if (secure) Object.defineProperty(request, 'protocol', { value: 'https' })
      reply.header('cache-control', 'no-store')
      await app.rateLimits.byAddress?.(request, reply)
      // By the route that was found: `/%63onsole` and `//console` find the same ones.
      const { url = '' } = request.routeOptions
      if (!url.startsWith(consolePath) || url.startsWith(invitations)) return
      isOpen ||= await hasAdmin(reads)
      if (!isOpen) throw new GatewayError('not_found', 'there is no admin yet')
    })
    await app.register(cookie)
    await app.register(session, {
      ...{ secret: keyFor('sessions'), cookieName: cookieName('console') },
      // As long as a session can last; the store decides whether it still counts.
      cookie: { ...cookieOptions, maxAge: 7 * 86_400_000 },
      ...{ saveUninitialized: false, rolling: false, store: openSessions(reads, pool) },
    })
    await app.register(csrf, {
      ...{ cookieKey: cookieName('form'), cookieOpts: { ...cookieOptions } },
      csrfOpts: { hmacKey: keyFor('forms') },
      getUserInfo: (request: FastifyRequest) => sessionIdOf(request),
      getToken: (request: FastifyRequest) =>
        textsOf(request.body).text('_csrf') || `${request.headers['x-csrf-token'] ?? ''}`,
    })
    await app.register(helmet, helmetOptions(secure))
    app.removeAllContentTypeParsers()
    await app.register(formbody)
    readMultipart(app)
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'string' },
      app.getDefaultJsonParser('error', 'error'),
    )

    app.setErrorHandler(async (error, request, reply) => {
      const page = await pageOf(request, reply).catch(() => strangerPage(request, reply))
      const kind = problemOf(error)
      const shown = problemPage(page, kind, error)
      const { status } = shown
      request.refusedWith = refusalOf[kind]
      if (status >= 500) log.warn({ err: error, requestId: request.id }, 'console.failed')
      if (status === 429 || status === 503) reply.header('retry-after', 10)
      return sendHtml(request, reply.code(status), renderConsole(page, shown, served))
    })

    const routes = consoleRoutes()
    const served = new Set(routes.filter(({ method }) => method === 'GET').map(({ path }) => path))
    for (const route of routes) {
      app.route({
        ...{ method: route.method, url: consolePath + (route.path === '/' ? '' : route.path), config },
        ...(route.bodyLimit && { bodyLimit: route.bodyLimit }),
        ...(route.method === 'POST' && { preHandler: app.csrfProtection }),
        handler: (request, reply) => serve(route, request, reply),
      })
    }
    for (const asset of consoleAssets)
      app.get(asset.path, { config }, (request, reply) => sendAsset(asset, request, reply))
    app.route({
      ...{ method: ['GET', 'POST'], url: `${consolePath}/*`, config },
      handler: () => {
        throw new GatewayError('not_found', 'no page of the console has this path')
      },
    })

    async function serve(route: ConsoleRoute, request: FastifyRequest, reply: FastifyReply) {
      const page = await pageOf(request, reply)
      const next = refusedWhere(route, page)
      if (next) return reply.redirect(next, 303)
      const answer = await route.handle(page)
      return send(answer, page, reply, served)
    }

    /** @returns where to go instead; undefined: the viewer may. @throws GatewayError not_found: it is not theirs to know. */
    function refusedWhere(route: ConsoleRoute, page: Page): string | undefined {
      const { viewer } = page
      if (route.who === 'anyone') return undefined
      const back = route.method === 'GET' ? page.request.url : undefined
      if (!viewer) return href(page, '/sign-in', { next: back })
      if (route.who === 'half') return undefined
      if (!viewer.session.signedInAt) return href(page, '/sign-in/code', { next: back })
      if (route.who !== 'signed in' && !may(page.role, route.who))
        throw new GatewayError('not_found', 'this person may not see it')
      if (!route.confirm || isConfirmed(page)) return undefined
      return href(page, '/confirm', { next: back ?? refererOf(page) })
    }

    async function pageOf(request: FastifyRequest, reply: FastifyReply): Promise<Page> {
      const viewer = await readViewer(reads, request)
      const query = textsOf(request.query)
      const locale = localeOf(request, viewer)
      // Who has given the password alone is told nothing yet, the merchants' names neither.
      const merchant = await merchantFor(viewer?.session.signedInAt ? viewer : null, query.text('merchant'))
      const membership = viewer?.memberships.find(({ merchantId }) => merchantId === merchant?.id)
      return {
        ...{ context, request, locale, viewer, merchant, query, now: new Date() },
        params: paramsOf(request),
        form: textsOf(request.body),
        role: !viewer?.session.signedInAt ? null : viewer.user.admin ? 'admin' : (membership?.role ?? null),
        csrf: reply.generateCsrf({ ...cookieOptions, userInfo: sessionIdOf(request) }),
        ...clientFacts(request, reply),
      }
    }

    /** For what fails before the request is known: a page without forms. */
    function strangerPage(request: FastifyRequest, reply: FastifyReply): Page {
      return {
        ...{ context, request, locale: localeOf(request, null), viewer: null, merchant: null },
        ...{ query: textsOf(request.query), form: textsOf(null), params: {}, now: new Date(), role: null },
        ...{ csrf: '', ...clientFacts(request, reply) },
      }
    }

    function clientFacts(request: FastifyRequest, reply: FastifyReply) {
      return {
        ...{ address: addressOf(request), client: clientOf(request), browser: browserOf(request, reply) },
      }
    }

    async function merchantFor(viewer: Viewer | null, appid: string): Promise<PageMerchant | null> {
      if (!viewer) return null
      if (!viewer.user.admin) {
        const member = appid ? viewer.memberships.find(one => one.appid === appid) : viewer.memberships[0]
        if (!member && appid) throw new GatewayError('not_found', 'no such merchant')
        return member ? { id: member.merchantId, appid: member.appid, name: member.merchantName } : null
      }
      if (!appid) return null
      const [found] = await rows<PageMerchant>(
        reads,
        `select id, appid, name from merchant where appid = $1`,
        [appid],
      )
      if (!found) throw new GatewayError('not_found', 'no such merchant')
      return found
    }
  },
  {
    name: 'console',
    dependencies: ['deadline', 'rate-limits', 'answered'],
    encapsulate: true,
  },
)

/** @throws GatewayError not_found for a text that no name in the database can be. */
function paramsOf(request: FastifyRequest): Record<string, string> {
  const params = request.params as Record<string, string>
  if (Object.values(params).some(text => text.includes('\0')))
    throw new GatewayError('not_found', 'no such name')
  return params
}

async function send(answer: Answer, page: Page, reply: FastifyReply, served: ReadonlySet<string>) {
  if ('goTo' in answer) return reply.redirect(answer.goTo, 303)
  if ('json' in answer) return reply.code(answer.status ?? 200).send(answer.json)
  if ('csv' in answer) return sendCsv(answer, page, reply)
  if ('bytes' in answer) return reply.type(answer.type).send(answer.bytes)
  const html = renderConsole(page, answer, served)
  return sendHtml(page.request, reply.code(answer.status ?? 200), html)
}

/** Of this process. */
const files = openFileTurns()

function sendCsv({ csv, header, rows: lines }: CsvAnswer, page: Page, reply: FastifyReply) {
  const end = files.begin(viewerOf(page).user.id)
  // Also when its reader hangs up.
  reply.raw.once('close', end)
  async function* text() {
    try {
      // A byte order mark: without it Excel reads UTF-8 as something else.
      yield `\ufeff${csvLine(header)}`
      for await (const line of files.inTurn(lines)) yield csvLine(line)
    } finally {
      end()
    }
  }
  return reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${csv}"`)
    .send(Readable.from(text()))
}

/** Everything is ours and from here; nothing runs that is written into a page. */
function helmetOptions(secure: boolean) {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'same-origin' as const },
    xFrameOptions: { action: 'deny' as const },
    strictTransportSecurity: secure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  }
}

/** A form counts in the session that it was made in; the forms before signing in belong to nobody's. */
function sessionIdOf(request: FastifyRequest): string {
  return request.session?.person ? request.session.sessionId : 'nobody'
}

function localeOf(request: FastifyRequest, viewer: Viewer | null): Locale {
  const asked = textsOf(request.query).text('lang')
  return chooseLocale(asked || viewer?.user.locale, request.headers['accept-language'])
}

/** What the metrics call it. */
const refusalOf: Record<ProblemKind, ErrorCode> = {
  ...{ notFound: 'not_found', expired: 'bad_request', tooMany: 'rate_limited' },
  ...{ slow: 'unavailable', database: 'unavailable', refused: 'bad_parameter', unavailable: 'unavailable' },
}

function problemOf(error: unknown): ProblemKind {
  if (error instanceof UsageError) return 'refused'
  if (error instanceof TooManySignIns) return 'tooMany'
  if (tookTooLong(error)) return 'slow'
  if (isPassingDatabaseError(error)) return 'database'
  const { code, statusCode } = error as { code?: string; statusCode?: number }
  if (code?.startsWith('FST_CSRF')) return 'expired'
  if (error instanceof GatewayError) {
    if (error.code === 'not_found') return 'notFound'
    if (error.code === 'rate_limited') return 'tooMany'
    return error.status >= 500 ? 'unavailable' : 'refused'
  }
  return statusCode !== undefined && statusCode < 500 ? 'refused' : 'unavailable'
}

import type { FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { GatewayError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Pool } from '../../db/pool.ts'
import { shareRoundTrips } from '../../db/shared-round-trip.ts'
import { payPath, readPayToken } from '../../orders/pay-link.ts'
import { chooseLocale, type Locale } from '../shell/locale.ts'
import { qrSvg } from '../shell/qr-svg.ts'
import { sendAsset, sendHtml } from '../shell/send-page.ts'
import { accentCss } from './accent-css.ts'
import { checkoutAssets } from './checkout-assets.ts'
import { renderCheckout, renderProblem } from './checkout-page.tsx'
import { type Checkout, endWindow, readCheckouts, readLogo } from './checkout-store.ts'
import type { LivePages } from './live-pages.ts'
import { payOnSandbox, type SandboxPayment, sandboxPayments } from './sandbox-pay.ts'
import { qrText, showCheckout } from './show-checkout.ts'
import type { ProblemKind } from './words.ts'

export interface CheckoutOptions {
  pool: Pool
  pages: LivePages
  /** Whom a request is counted for. */
  clientOf: (request: FastifyRequest) => string
  /** The node whose control API pays; null: this is no sandbox. */
  sandboxNode: string | null
  log: Logger
}

/** By which the metrics know these requests. */
const config = { endpoint: 'pay' }

type PayRequest = FastifyRequest<{ Params: { token: string }; Querystring: Record<string, unknown> }>

/** So long a shop's page, and every proxy, may keep what seldom changes. */
const briefly = 'public, max-age=300'

/**
 * Serves the payers' pages. A token that is none gets the same page, after the same work, as one that nobody has. No cookie is
 * set, and nothing is loaded from elsewhere.
 */
export const checkoutRoutes = fastifyPlugin<CheckoutOptions>(
  async (app, { pool, pages, clientOf, sandboxNode, log }) => {
    const read = shareRoundTrips({
      run: async (tokens: readonly Buffer[]) => {
        const found = await readCheckouts(pool, tokens)
        const byToken = new Map(found.map(checkout => [checkout.token.toString('hex'), checkout]))
        return tokens.map(token => byToken.get(token.toString('hex')) ?? null)
      },
      ...{ itemsMax: 64, waitingMax: 4_096, inFlightMax: 3 },
    })
    const find = async (request: PayRequest): Promise<Checkout> => {
      const checkout = await read(readPayToken(request.params.token) ?? Buffer.alloc(16))
      if (!checkout) throw new GatewayError('not_found', 'no order has this page')
      return checkout
    }
    app.addHook('onRequest', async (request, reply) => {
      reply.headers(headersOf([]))
      await app.rateLimits.byAddress?.(request, reply)
    })
    app.setErrorHandler((error, request, reply) => {
      const kind = problemOf(error)
      if (kind === 'unavailable') log.warn({ err: error, requestId: request.id }, 'checkout.failed')
      const code = error instanceof GatewayError ? error : null
      request.refusedWith = code?.code ?? 'unavailable'
      if (kind === 'too_many') reply.header('retry-after', code?.retryAfterS ?? 60)
      if (kind === 'unavailable') reply.header('retry-after', 5)
      return reply
        .code(statusOf[kind])
        .header('cache-control', 'no-store')
        .type('text/html; charset=utf-8')
        .send(renderProblem(kind, localeOf(request)))
    })

    app.get('/pay/:token', { config }, async (request: PayRequest, reply) => {
      const checkout = await find(request)
      const view = showCheckout(checkout, {
        ...{ locale: localeOf(request), now: new Date(), sandboxPay: sandboxNode !== null },
      })
      reply
        .headers(headersOf(checkout.frameAncestors))
        .header('cache-control', 'no-store')
        .header('content-language', view.locale)
        .header('vary', 'accept-language, accept-encoding')
      return sendHtml(request, reply, renderCheckout(view))
    })

    app.get('/pay/:token/events', { config, exposeHeadRoute: false }, async (request: PayRequest, reply) => {
      const checkout = await find(request)
      const { v } = request.query
      const page = {
        response: reply.raw,
        headers: { ...headersOf([]), 'x-request-id': request.id },
        token: checkout.token,
        locale: localeOf(request),
        client: clientOf(request),
        known: request.headers['last-event-id']?.toString() ?? (typeof v === 'string' ? v : null),
      }
      if (!pages.open(page))
        throw new GatewayError('rate_limited', 'too many open pages', { retryAfterS: 60 })
      reply.hijack()
    })

    app.get('/pay/:token/qr.svg', { config }, async (request: PayRequest, reply) => {
      const checkout = await find(request)
      return reply
        .header('cache-control', checkout.qr === 'tron-amount' ? 'no-cache' : briefly)
        .header('access-control-allow-origin', '*')
        .header('cross-origin-resource-policy', 'cross-origin')
        .type('image/svg+xml; charset=utf-8')
        .send(qrSvg(qrText(checkout), checkout.address))
    })

    app.get('/pay/:token/accent.css', { config }, async (request: PayRequest, reply) => {
      const { accent } = await find(request)
      return reply.header('cache-control', briefly).type('text/css; charset=utf-8').send(accentCss(accent))
    })

    app.get('/pay/:token/logo', { config }, async (request: PayRequest, reply) => {
      const { token } = await find(request)
      const logo = await readLogo(pool, token)
      if (!logo) throw new GatewayError('not_found', 'this page has no logo')
      return reply.header('cache-control', briefly).type(logo.type).send(logo.bytes)
    })

    if (sandboxNode !== null) {
      app.post('/pay/:token/sandbox', { config }, async (request: PayRequest, reply) => {
        const checkout = await find(request)
        const { what } = (request.body ?? {}) as { what?: string }
        if (!isSandboxPayment(what))
          throw new GatewayError('bad_parameter', `what: ${sandboxPayments.join()}`)
        if (what === 'late') await endWindow(pool, checkout.token)
        await payOnSandbox(sandboxNode, what, checkout)
        pages.look()
        return reply.redirect(`${payPath(checkout.token)}?lang=${localeOf(request)}`, 303)
      })
    }

    for (const asset of checkoutAssets)
      app.get(asset.path, { config }, (request, reply) => sendAsset(asset, request, reply))
  },
  {
    name: 'checkout-routes',
    dependencies: ['deadline', 'request-bodies', 'rate-limits', 'answered'],
    encapsulate: true,
  },
)

/** Everything is ours and from here. No script, style or form of anybody else, and no frame but by the merchant's leave. */
function headersOf(frameAncestors: readonly string[]): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    `frame-ancestors ${frameAncestors.length === 0 ? "'none'" : frameAncestors.join(' ')}`,
  ]
  return {
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  }
}

const statusOf: Record<ProblemKind, number> = { not_found: 404, too_many: 429, unavailable: 503 }

function problemOf(error: unknown): ProblemKind {
  if (!(error instanceof GatewayError) || error.status >= 500) return 'unavailable'
  return error.code === 'rate_limited' ? 'too_many' : 'not_found'
}

function localeOf(request: FastifyRequest): Locale {
  const { lang } = request.query as Record<string, unknown>
  return chooseLocale(lang, request.headers['accept-language'])
}

function isSandboxPayment(text: string | undefined): text is SandboxPayment {
  return sandboxPayments.some(what => what === text)
}

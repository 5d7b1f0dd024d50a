import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { accentCss } from '../../../src/web/checkout/accent-css.ts'
import { checkoutAssets } from '../../../src/web/checkout/checkout-assets.ts'
import { checkoutTitle, renderCheckout, renderLive } from '../../../src/web/checkout/checkout-page.tsx'
import type { CheckoutView } from '../../../src/web/checkout/checkout-view.ts'
import type { Locale } from '../../../src/web/shell/locale.ts'

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'"

/**
 * Serves the payer's page from views alone, without a gateway, under the policy that the gateway sends.
 * @param page the HTML of a page, or the view of an order, by the URL's query.
 */
export async function servePages(page: (query: URLSearchParams, locale: Locale) => CheckoutView | string) {
  const streams = new Set<ServerResponse>()
  const counts = { pages: 0, streams: 0 }
  const state = { streams: 'open' as 'open' | 'silent' | 'refused' }
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://x')
    const asset = checkoutAssets.find(({ path }) => path === url.pathname)
    response.setHeader('content-security-policy', policy)
    if (asset) return response.setHeader('content-type', asset.contentType).end(asset.bytes)
    const locale = url.searchParams.get('lang') === 'zh' ? 'zh' : 'en'
    const shown = page(url.searchParams, locale)
    if (url.pathname.endsWith('/accent.css')) {
      const accent = typeof shown === 'string' ? null : shown.merchant.accent
      return response.setHeader('content-type', 'text/css').end(accentCss(accent ?? '#7a3ff2'))
    }
    if (url.pathname.endsWith('/events')) {
      counts.streams++
      if (state.streams === 'refused') return response.writeHead(503).end()
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      if (state.streams === 'open') response.write('retry: 100\n\nevent: beat\ndata:\n\n')
      streams.add(response)
      return response.on('close', () => streams.delete(response))
    }
    counts.pages++
    response.setHeader('content-type', 'text/html; charset=utf-8')
    return response.end(typeof shown === 'string' ? shown : renderCheckout(shown))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** How often the page and the stream have been asked for. */
    counts,
    /** What a stream does from its opening on. */
    state,
    streams,
    /** Tells every open page of a change. */
    tell(view: CheckoutView) {
      const data = { version: view.version, html: renderLive(view), title: checkoutTitle(view) }
      for (const stream of streams) stream.write(`event: change\ndata: ${JSON.stringify(data)}\n\n`)
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

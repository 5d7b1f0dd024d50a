import type { ServerResponse } from 'node:http'
import type { Logger } from '../../base/log.ts'
import type { Queryable } from '../../db/pool.ts'
import type { Locale } from '../shell/locale.ts'
import { checkoutTitle, renderLive } from './checkout-page.tsx'
import { type Checkout, readCheckouts } from './checkout-store.ts'
import { showCheckout } from './show-checkout.ts'

/** How many streams there may be. A page that gets none asks again every few seconds. */
export interface StreamCaps {
  inAll: number
  perClient: number
}

export interface LivePages {
  /**
   * Streams an order's changes to a page until either side ends it.
   * @param known the version that the page shows. Another one is sent at once.
   * @returns false when there are too many streams, and nothing has been written.
   */
  open(page: OpenPage): boolean
  /** Looks for changes now, or after the look that is under way. */
  look(): void
  count(): number
  /** Ends all streams; their pages connect again, to another process. */
  close(): void
}

interface OpenPage {
  response: ServerResponse
  /** The headers that the stream begins with, beside its own. */
  headers: Record<string, string>
  token: Buffer
  locale: Locale
  client: string
  known: string | null
}

const heartbeatMs = 10_000
/** So long a browser waits before it connects again. */
const retryMs = 2_000
/** A comment would do for proxies, but no page sees one. */
const beat = 'event: beat\ndata: 1\n\n'
/** Orders read by one statement. */
const readAtOnce = 500
/** What a page that does not read may have unread. Its stream is ended then: it gets all that is new when it comes back. */
const unreadMax = 64 * 1024

/**
 * Opens the pages that follow their orders. However many there are, each look reads all their orders together, and what has
 * changed is sent to those that show it.
 */
export function openLivePages(options: {
  db: Queryable
  caps: StreamCaps
  sandboxPay: boolean
  log: Logger
}): LivePages {
  const { db, caps, sandboxPay, log } = options
  const pages = new Set<OpenPage>()
  const perClient = new Map<string, number>()
  let looking: Promise<void> | null = null
  let lookAgain = false
  let failing = false

  const end = (page: OpenPage) => {
    if (!pages.delete(page)) return
    const left = perClient.get(page.client)! - 1
    if (left === 0) perClient.delete(page.client)
    else perClient.set(page.client, left)
    page.response.end()
  }
  const write = (page: OpenPage, text: string) => {
    page.response.write(text)
    if (page.response.writableLength > unreadMax) end(page)
  }
  const show = (page: OpenPage, checkout: Checkout) => {
    const view = showCheckout(checkout, { ...{ locale: page.locale, now: new Date() }, sandboxPay })
    if (view.version === page.known) return
    page.known = view.version
    const data = JSON.stringify({ version: view.version, html: renderLive(view), title: checkoutTitle(view) })
    write(page, `id: ${view.version}\nevent: change\ndata: ${data}\n\n`)
  }
  const readAll = async () => {
    const open = [...pages]
    for (let i = 0; i < open.length; i += readAtOnce) {
      const some = open.slice(i, i + readAtOnce)
      const found = await readCheckouts(
        db,
        some.map(({ token }) => token),
      )
      const byToken = new Map(found.map(checkout => [checkout.token.toString('hex'), checkout]))
      for (const page of some) {
        const checkout = byToken.get(page.token.toString('hex'))
        if (checkout && pages.has(page)) show(page, checkout)
      }
    }
  }
  const look = () => {
    if (looking) {
      lookAgain = true
      return
    }
    if (pages.size === 0) return
    looking = readAll()
      .then(
        () => {
          failing = false
        },
        err => {
          // The next look finds what this one has not.
          if (!failing) log.warn({ err }, 'checkout.pages_not_read')
          failing = true
        },
      )
      .finally(() => {
        looking = null
        if (!lookAgain) return
        lookAgain = false
        look()
      })
  }
  const heartbeat = setInterval(() => {
    for (const page of pages) write(page, beat)
  }, heartbeatMs)
  heartbeat.unref()

  return {
    look,
    count: () => pages.size,
    open: page => {
      const ofClient = perClient.get(page.client) ?? 0
      if (pages.size >= caps.inAll || ofClient >= caps.perClient) return false
      pages.add(page)
      perClient.set(page.client, ofClient + 1)
      const { response } = page
      response.once('close', () => end(page))
      response.on('error', () => end(page))
      // It has no end, and a heartbeat of its own.
      response.socket?.setTimeout(0)
      response.writeHead(200, {
        ...page.headers,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
      write(page, `retry: ${retryMs}\n\n${beat}`)
      look()
      return true
    },
    close: () => {
      clearInterval(heartbeat)
      for (const page of pages) end(page)
    },
  }
}

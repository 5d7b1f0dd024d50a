import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { accentCss } from '../../../src/web/checkout/accent-css.ts'
import { checkoutAssets, checkoutCss, payJs } from '../../../src/web/checkout/checkout-assets.ts'
import {
  checkoutTitle,
  renderCheckout,
  renderLive,
  renderProblem,
} from '../../../src/web/checkout/checkout-page.tsx'
import type { CheckoutView } from '../../../src/web/checkout/checkout-view.ts'
import { wordsOf } from '../../../src/web/checkout/languages.ts'
import { sampleAddress, samplePayment, sampleStates, sampleView } from './sample-view.ts'

const locales = ['en', 'zh'] as const
const textOf = (html: string) => html.replace(/<[^>]+>/g, '').replaceAll('&amp;', '&')
const live = (state: string, over: Partial<CheckoutView> = {}) =>
  renderLive(sampleView({ ...sampleStates[state], ...over }))

for (const locale of locales) {
  for (const [name, state] of Object.entries(sampleStates)) {
    test(`${name} is a whole page in ${locale}`, () => {
      const view = sampleView({ ...state, locale })
      const html = renderCheckout(view)
      assert.match(html, /^<!doctype html><html lang="(en|zh-CN)">/)
      assert.doesNotMatch(html, /undefined|\[object|NaN|null/)
      assert.ok(html.includes(`<title>${checkoutTitle(view)}</title>`))
      assert.ok(html.includes(`>${renderLive(view)}</main>`), 'the live part is what an event brings')
      assert.equal(html.match(/<h1/g)?.length, 1)
      const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
      assert.equal(new Set(ids).size, ids.length, 'no id is there twice')
    })
  }
}

test('nothing on the page is inline script or style, and nothing is asked of another host', () => {
  for (const state of Object.values(sampleStates)) {
    const html = renderCheckout(sampleView(state))
    assert.doesNotMatch(html, / style=| on[a-z]+=|<style/)
    assert.deepEqual(
      [...html.matchAll(/<script[^>]*>[^<]*/g)].map(([tag]) => tag),
      [`<script type="module" src="${payJs.path}">`],
    )
    for (const [, url] of html.matchAll(/(?:src|<link[^>]+href)="([^"]+)"/g))
      assert.match(url!, /^(\/[^/]|data:image)/)
  }
})

test("a merchant's colour comes as a style sheet of the page's own", () => {
  const merchant = { ...sampleView().merchant, accent: '#7a3ff2' }
  assert.ok(
    renderCheckout(sampleView({ merchant })).includes('href="/pay/Qm3xV7bT9kLpZc2nR5wYdA/accent.css"'),
  )
  assert.ok(!renderCheckout(sampleView()).includes('accent.css'))
})

test('markup in any text from outside is shown as text', () => {
  const markup = '"><img src=x onerror=alert(1)>\'</title></script>'
  const view = sampleView({
    ...sampleStates.underpaid,
    merchant: { name: markup, logoPath: markup, accent: null, supportUrl: `https://x/${markup}` },
    orderid: markup,
    returnUrl: `https://x/${markup}`,
    version: markup,
    address: markup,
    usdtContract: markup,
    amountUnits: markup,
    payments: [samplePayment({ txid: markup, explorerUrl: `https://x/${markup}` })],
    qrSvg: '',
  })
  for (const locale of locales) {
    const html = renderCheckout({ ...view, locale })
    assert.doesNotMatch(html, /<img src=x/)
    assert.equal(html.match(/<\/title>/g)!.length, 1)
    assert.equal(html.match(/<\/script>/g)!.length, 1)
    // Every attribute is closed where it should be: a browser would see no other elements than in a page without markup.
    const plain = renderCheckout({
      ...view,
      locale,
      merchant: { name: 'x', logoPath: 'x', accent: null, supportUrl: 'https://x/' },
      orderid: 'x',
      returnUrl: 'https://x/',
      payments: [samplePayment({ txid: 'x', explorerUrl: 'https://x/' })],
      address: 'x',
    })
    const tags = (text: string) =>
      [...text.matchAll(/<(\w+)/g)].map(([, tag]) => tag).filter(tag => tag !== 'span' && tag !== 'wbr')
    assert.deepEqual(tags(html), tags(plain))
  }
})

test('a link that is not http or https is not there', () => {
  const merchant = { ...sampleView().merchant, supportUrl: 'javascript:alert(1)' }
  const payments = [samplePayment({ explorerUrl: 'data:text/html,x' })]
  const over = { merchant, returnUrl: 'javascript:alert(1)', payments }
  for (const state of ['paid', 'underpaid']) {
    const html = renderCheckout(sampleView({ ...sampleStates[state], ...over }))
    assert.doesNotMatch(html, /javascript:|data:text|id="return"|id="support"/)
  }
})

test('the address is in groups of four that copy without gaps', () => {
  const html = live('waiting')
  const [, address] = /<code class="address">(.*?)<\/code>/s.exec(html)!
  assert.equal(textOf(address!), sampleAddress)
  assert.equal(address!.match(/class="group"/g)!.length, 9)
  assert.ok(html.includes(`data-copy="${sampleAddress}"`))
})

test('an amount shows two decimals, its thousands apart, and copies as it is', () => {
  const html = live('waiting', { amount: '1234567.5', missing: '1234567.5' })
  assert.ok(
    html.includes(
      '<span class="group">1</span><span class="group">234</span><span class="group">567.50</span>',
    ),
  )
  assert.ok(html.includes('data-copy="1234567.5"'))
})

test('an order that waits says what, where, on which network and how long', () => {
  const text = textOf(live('waiting'))
  for (const part of ['25.00 USDT', sampleAddress, 'Send only USDT on the TRON network', '59:12']) {
    assert.ok(text.includes(part), part)
  }
})

test('a payment that is seen shows its block and the confirmations of it', () => {
  const html = live('seen')
  assert.match(html, /<progress value="7" max="19"/)
  assert.match(textOf(html), /7 of 19 confirmations.*Block 71234567/)
  assert.ok(!html.includes(sampleAddress), 'nothing more is asked for')
})

test('what is missing is the large amount, at the same address', () => {
  for (const state of ['underpaid', 'seenInPart']) {
    const html = live(state)
    assert.match(textOf(html), /Still missing12\.50 USDT/)
    assert.ok(html.includes(`data-copy="${sampleAddress}"`))
    assert.ok(html.includes('data-copy="12.5"'))
  }
})

test('every payment is listed with its link, which tells the explorer nothing of the page', () => {
  const html = live('paid')
  const links = html.match(/<a class="mono"[^>]*>/g)!
  assert.equal(links.length, 2)
  for (const link of links) assert.match(link, /rel="noreferrer noopener"/)
})

test('after the time the page asks for nothing, and keeps the address for those who have paid', () => {
  for (const state of ['expired', 'expiredUnderpaid']) {
    const html = live(state)
    assert.match(html, /<details class="reveal">/)
    assert.doesNotMatch(html, /data-expires/)
    assert.match(textOf(html), /keep this page open/)
  }
})

test('a payment seen after the time says first that it is seen', () => {
  const over = { isExpired: true }
  assert.match(textOf(live('seen', over)), /Payment seen.*Nothing more to do/)
  assert.match(textOf(live('seenInPart', over)), /Payment seen.*ask the shop before you send the rest/)
  assert.equal(
    checkoutTitle(sampleView({ ...sampleStates.seen, ...over })),
    'Payment seen · Blue Harbour Games',
  )
})

test('a closed shop asks for nothing', () => {
  for (const state of Object.values(sampleStates)) {
    const html = renderLive(sampleView({ ...state, closed: true }))
    assert.doesNotMatch(html, /data-copy|<svg|id="wallet"|<form|<details/)
    assert.ok(html.includes('Do not pay here'))
  }
})

test('the way back is a button once the order is paid, and a link before', () => {
  assert.match(live('paid'), /<a id="return" class="button" href="https:\/\/shop.example\/orders\/4182"/)
  assert.match(live('waiting'), /<a id="return" href=/)
  assert.doesNotMatch(live('paid', { returnUrl: null }), /id="return"/)
})

test('without script the page asks again until all is credited', () => {
  const refresh = (state: string) =>
    /<noscript><meta http-equiv="refresh" content="(\d+)"\/?><\/noscript>/.exec(
      renderCheckout(sampleView(sampleStates[state])),
    )?.[1]
  assert.equal(refresh('waiting'), '10')
  assert.equal(refresh('seen'), '10')
  assert.equal(refresh('expired'), '60')
  assert.equal(refresh('paid'), undefined)
})

test('wallets and the sandbox are offered where they are allowed', () => {
  assert.match(live('waiting'), /data-chain="0x2b6653dc"/)
  assert.match(live('sandbox'), /data-chain="sandbox"/)
  assert.doesNotMatch(live('waiting', { wallets: false }), /id="wallet"/)
  assert.doesNotMatch(live('waiting', { network: 'private' }), /id="wallet"/)
  assert.doesNotMatch(live('waiting'), /<form/)
  assert.equal(live('sandbox').match(/<button[^>]* name="what"/g)!.length, 4)
})

test('SEEN=off is said', () => {
  assert.match(textOf(live('waiting', { seenIsOff: true })), /about a minute after you have sent it/)
})

test('what a screen reader is told does not change with each confirmation', () => {
  const says = (confirmations: number) =>
    /data-say="([^"]*)"/.exec(
      live('seen', { payments: [samplePayment({ state: 'seen', confirmations })] }),
    )![1]
  assert.equal(says(3), says(4))
  assert.notEqual(says(3), /data-say="([^"]*)"/.exec(live('paid'))![1])
})

test('each problem has a page of its own, in both languages', () => {
  for (const locale of locales) {
    for (const kind of ['not_found', 'too_many', 'unavailable'] as const) {
      const html = renderProblem(kind, locale)
      assert.ok(html.includes(wordsOf(locale).problems[kind].title))
      assert.doesNotMatch(html, /<script|http-equiv/)
    }
  }
})

test('no text is the same in both languages but those that name things', () => {
  const texts = (value: unknown): unknown[] =>
    typeof value === 'function'
      ? [value('1', '2')]
      : typeof value === 'object'
        ? Object.values(value!).flatMap(texts)
        : [value]
  const [en, zh] = locales.map(locale => texts(wordsOf(locale))) as [unknown[], unknown[]]
  assert.equal(en.length, zh.length)
  for (const [i, text] of en.entries()) {
    assert.ok(text !== '' && zh[i] !== '')
    assert.notEqual(text, zh[i])
  }
})

test('the first load is under 15 kB compressed', () => {
  const weights = Object.values(sampleStates).map(state => {
    const view = sampleView({ ...state, merchant: { ...sampleView().merchant, accent: '#7a3ff2' } })
    const page = gzipSync(renderCheckout(view)).length + gzipSync(accentCss('#7a3ff2')).length
    return page + checkoutAssets.reduce((sum, asset) => sum + asset.gzip.length, 0)
  })
  const most = Math.max(...weights)
  console.log(`# first load: ${most} bytes; style ${checkoutCss.gzip.length}, script ${payJs.gzip.length}`)
  assert.ok(most < 15_000, `${most}`)
})

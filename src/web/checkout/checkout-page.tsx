/** @jsxRuntime automatic @jsxImportSource preact */
import { renderToString } from 'preact-render-to-string'
import { renderDocument } from '../shell/document.tsx'
import type { Locale } from '../shell/locale.ts'
import { checkoutCss, payJs } from './checkout-assets.ts'
import { type CheckoutView, isSettled } from './checkout-view.ts'
import { wordsOf } from './languages.ts'
import { LivePart } from './live-part.tsx'
import { titleOf } from './phrase.ts'
import type { ProblemKind, Words } from './words.ts'

/** How often a browser without script asks again, while the payer waits and after the time is over. */
const refreshSeconds = 10
const refreshExpiredSeconds = 60

/** Renders the payer's page as a whole document. */
export function renderCheckout(view: CheckoutView): string {
  const words = wordsOf(view.locale)
  return renderDocument({
    locale: view.locale,
    title: titleOf(view, words),
    styles: [checkoutCss.path, ...(view.merchant.accent ? [`${view.path}/accent.css`] : [])],
    script: payJs,
    refreshSeconds: isSettled(view) ? null : view.isExpired ? refreshExpiredSeconds : refreshSeconds,
    children: (
      <div class="page">
        <Header view={view} words={words} />
        <Banner view={view} words={words} />
        <main
          id="live"
          data-version={view.version}
          data-events={`${view.path}/events?lang=${view.locale}`}
          data-words={JSON.stringify(words.browser)}
        >
          <LivePart view={view} words={words} />
        </main>
        {/* The only live region. The module writes the state's sentence here, and nothing else is announced. */}
        <p id="said" class="unseen" role="status" />
        <p id="notice" class="notice" hidden />
      </div>
    ),
  })
}

/** Renders the inside of the element #live, which an event brings to a page that is open. */
export function renderLive(view: CheckoutView): string {
  return renderToString(<LivePart view={view} words={wordsOf(view.locale)} />)
}

/** The page's title, which the same event brings. */
export function checkoutTitle(view: CheckoutView): string {
  return titleOf(view, wordsOf(view.locale))
}

/** Renders a page for a token that is unknown, asked for too often, or not readable now. */
export function renderProblem(kind: ProblemKind, locale: Locale): string {
  const { title, text } = wordsOf(locale).problems[kind]
  return renderDocument({
    locale,
    title,
    styles: [checkoutCss.path],
    script: null,
    refreshSeconds: null,
    children: (
      <div class="page">
        <main class="sheet problem">
          <h1>{title}</h1>
          <p class="detail">{text}</p>
        </main>
      </div>
    ),
  })
}

function Header(props: { view: CheckoutView; words: Words }) {
  const { view, words } = props
  const { name, logoPath } = view.merchant
  const other = view.locale === 'en' ? 'zh' : 'en'
  return (
    <header class="top">
      {logoPath && <img class="logo" src={logoPath} alt="" width="40" height="40" />}
      <span class="name">{name || (logoPath ? '' : words.pageName)}</span>
      <a
        class="language"
        href={`${view.path}?lang=${other}`}
        lang={other}
        hreflang={other}
        aria-label={`${words.otherLanguage}: ${words.otherLanguageLabel}`}
      >
        {words.otherLanguage}
      </a>
    </header>
  )
}

function Banner(props: { view: CheckoutView; words: Words }) {
  const { network } = props.view
  if (network === 'mainnet') return null
  return (
    <p class="banner">
      {network === 'sandbox' ? props.words.sandboxNetwork : props.words.testNetwork(testNames[network])}
    </p>
  )
}

const testNames = { nile: 'Nile', shasta: 'Shasta', private: 'private' }

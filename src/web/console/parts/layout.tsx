/** @jsxRuntime automatic @jsxImportSource preact */
import { readFileSync } from 'node:fs'
import { may, type Permission } from '../../../people/permission.ts'
import { makeAsset } from '../../shell/assets.ts'
import { renderDocument } from '../../shell/document.tsx'
import { tokensCss } from '../../shell/tokens-css.ts'
import { type CommonWords, commonWords } from './common-words.ts'
import { consoleCss } from './console-css.ts'
import { Form } from './form-parts.tsx'
import { consolePath, href, type Page, type Viewer } from './page.ts'
import type { ShownPage } from './route.ts'

const stylesheet = makeAsset('console', 'css', tokensCss + consoleCss)
// Read beside this file: from source as it is written, from dist as tsc copied it and pointed to a map that is not served.
const module = readFileSync(new URL('./browser/console.js', import.meta.url), 'utf8')
const script = makeAsset('console', 'js', module.replace(/\n\/\/# sourceMappingURL=.*/, ''))

export const consoleAssets = [stylesheet, script]

type NavPath = keyof CommonWords['nav']

const navigation: readonly { permission: Permission; paths: readonly NavPath[] }[] = [
  { permission: 'see', paths: ['/', '/orders', '/callbacks', '/money', '/addresses', '/settings'] },
  { permission: 'people', paths: ['/people'] },
  { permission: 'admin', paths: ['/merchants', '/nodes', '/system'] },
  { permission: 'audit', paths: ['/audit'] },
]

/** Renders a page of the console. @param served the paths that GET routes have: what is not there has no link. */
export function renderConsole(page: Page, shown: ShownPage, served: ReadonlySet<string>): string {
  const words = commonWords(page)
  const alone = shown.nav === null || !page.viewer?.session.signedInAt
  return renderDocument({
    ...{ locale: page.locale, styles: [stylesheet.path], script, refreshSeconds: null },
    title: `${shown.title} – ${words.console}`,
    children: (
      <>
        <a class="skip" href="#main">
          {words.skip}
        </a>
        {alone || !page.viewer ? <BareTop page={page} /> : <Top page={page} viewer={page.viewer} />}
        <div class={alone ? undefined : 'frame'}>
          {!alone && <Side page={page} served={served} />}
          <main id="main" class={alone ? 'alone' : undefined} tabIndex={-1}>
            {shown.problem && (
              <p class="problem" role="alert">
                {shown.problem}
              </p>
            )}
            {shown.notice && (
              <p class="notice" role="status">
                {shown.notice}
              </p>
            )}
            {shown.body}
          </main>
        </div>
      </>
    ),
  })
}

function BareTop(props: { page: Page }) {
  const words = commonWords(props.page)
  const other = props.page.locale === 'en' ? 'zh' : 'en'
  const query = new URLSearchParams(props.page.request.url.split('?')[1])
  query.set('lang', other)
  return (
    <header class="top">
      <span class="brand">{words.console}</span>
      <span class="end-of-top">
        <a href={`?${query}`} lang={other}>
          {words.language}
        </a>
      </span>
    </header>
  )
}

function Top(props: { page: Page; viewer: Viewer }) {
  const { page, viewer } = props
  const words = commonWords(page)
  const role = page.role && words.roles[page.role]
  return (
    <header class="top">
      <a class="brand" href={href(page, '/')}>
        {words.console}
      </a>
      <search class="search">
        <form method="get" action={`${consolePath}/search`}>
          <input
            id="search"
            type="search"
            name="q"
            aria-label={words.search}
            placeholder={words.searchHint}
            value={page.query.text('q')}
            maxLength={300}
            aria-keyshortcuts="/"
          />
          {page.merchant && <input type="hidden" name="merchant" value={page.merchant.appid} />}
        </form>
      </search>
      <span class="end-of-top">
        <Chooser page={page} viewer={viewer} />
        <a href={href(page, '/account')}>{viewer.user.name}</a>
        {role && <span class="quiet">{role}</span>}
        <Form page={page} action={`${consolePath}/language`} class="bare">
          <input type="hidden" name="locale" value={page.locale === 'en' ? 'zh' : 'en'} />
          <button class="plain-button" type="submit" lang={page.locale === 'en' ? 'zh' : 'en'}>
            {words.language}
          </button>
        </Form>
        <Form page={page} action={`${consolePath}/sign-out`} class="bare">
          <button class="plain-button" type="submit">
            {words.signOut}
          </button>
        </Form>
      </span>
    </header>
  )
}

/** Of several merchants the page is about one. An admin finds them on the page of merchants. */
function Chooser(props: { page: Page; viewer: Viewer }) {
  const { page, viewer } = props
  const words = commonWords(page)
  if (viewer.user.admin)
    return (
      <span>
        {page.merchant ? (
          <>
            {page.merchant.name} <a href={consolePath}>{words.allMerchants}</a>
          </>
        ) : (
          <a href={`${consolePath}/merchants`}>{words.allMerchants}</a>
        )}
      </span>
    )
  if (viewer.memberships.length < 2) return page.merchant ? <span>{page.merchant.name}</span> : null
  return (
    <form method="get" action={consolePath} class="chooser">
      <select name="merchant" aria-label={words.merchant}>
        {viewer.memberships.map(({ appid, merchantName }) => (
          <option value={appid} selected={appid === page.merchant?.appid} key={appid}>
            {merchantName}
          </option>
        ))}
      </select>
      <button class="button plain" type="submit">
        {words.choose}
      </button>
    </form>
  )
}

function Side(props: { page: Page; served: ReadonlySet<string> }) {
  const { page, served } = props
  const words = commonWords(page)
  const here = page.request.url.split('?')[0]!.slice(consolePath.length) || '/'
  const shown = navigation
    .filter(({ permission }) => may(page.role, permission))
    .flatMap(({ paths }) => paths)
    .filter(path => served.has(path))
  return (
    <div class="side">
      <nav aria-label={words.navigation}>
        <ul>
          {shown.map(path => {
            const current = path === '/' ? here === '/' : here === path || here.startsWith(`${path}/`)
            return (
              <li key={path}>
                <a href={href(page, path)} aria-current={current ? 'page' : undefined}>
                  {words.nav[path]}
                </a>
              </li>
            )
          })}
        </ul>
      </nav>
    </div>
  )
}

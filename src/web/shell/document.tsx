/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { Asset } from './assets.ts'
import type { Locale } from './locale.ts'

export interface DocumentParts {
  locale: Locale
  title: string
  styles: readonly string[]
  script: Asset | null
  /** After how many seconds a browser without script asks again; null when nothing can change. */
  refreshSeconds: number | null
  children: ComponentChildren
}

const languageTags: Record<Locale, string> = { en: 'en', zh: 'zh-CN' }

// A drawing in the address, so that no browser asks for /favicon.ico.
const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%231f6f5c'/%3E%3Cpath d='M4 8.2l2.8 2.8L12 5.6' fill='none' stroke='%23fff' stroke-width='2'/%3E%3C/svg%3E"

/** Renders a whole document. It has no inline script and no inline style, so that it works under a strict policy. */
export function renderDocument(parts: DocumentParts): string {
  return `<!doctype html>${renderToString(
    <html lang={languageTags[parts.locale]}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        {/* Safari makes links of digits that look like a telephone number, amounts and addresses among them. */}
        <meta name="format-detection" content="telephone=no" />
        <title>{parts.title}</title>
        <link rel="icon" href={icon} />
        {parts.styles.map(href => (
          <link rel="stylesheet" href={href} key={href} />
        ))}
        {parts.script && <script type="module" src={parts.script.path} />}
        {parts.refreshSeconds !== null && (
          <noscript>
            <meta http-equiv="refresh" content={`${parts.refreshSeconds}`} />
          </noscript>
        )}
      </head>
      <body>{parts.children}</body>
    </html>,
  )}`
}

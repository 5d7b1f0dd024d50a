export const locales = ['en', 'zh'] as const
export type Locale = (typeof locales)[number]

/** More than any browser sends. The rest of a longer header is not read. */
const headerMax = 500

/**
 * Chooses a page's language. The page's own switch is a query value and no cookie, so that a link keeps its language.
 * @param lang the query's `lang`, in whatever form it came.
 * @param acceptLanguage the header: "zh-CN,zh;q=0.9,en;q=0.8".
 * @returns the query's language if we have it, else the header's favourite among ours, else English.
 */
export function chooseLocale(lang: unknown, acceptLanguage: string | undefined): Locale {
  return localeOf(lang) ?? favourite(acceptLanguage ?? '') ?? 'en'
}

function localeOf(tag: unknown): Locale | undefined {
  if (typeof tag !== 'string') return undefined
  const language = tag.trim().toLowerCase().split(/[-_]/)[0]
  return locales.find(locale => locale === language)
}

function favourite(header: string): Locale | undefined {
  let best: { locale: Locale; weight: number } | undefined
  for (const part of header.slice(0, headerMax).split(',')) {
    const [tag, ...parameters] = part.split(';')
    const locale = localeOf(tag)
    const weight = weightOf(parameters)
    // Of equal weights the first counts.
    if (locale && weight > (best?.weight ?? 0)) best = { locale, weight }
  }
  return best?.locale
}

function weightOf(parameters: readonly string[]): number {
  const written = parameters.map(text => /^\s*q\s*=\s*([\d.]+)\s*$/.exec(text)?.[1]).find(Boolean)
  return written === undefined ? 1 : Number(written) || 0
}

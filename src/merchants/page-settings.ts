import { UsageError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'
import { type ChangedBy, changeMerchant } from './change-merchant.ts'
import { writePageSettings } from './page-settings-store.ts'

/** What the QR code of a merchant's orders says. Only the plain address is read by every wallet. */
export const qrFormats = ['address', 'tron', 'tron-amount'] as const

/** How a merchant's page for payers looks. */
export interface PageSettings {
  /** Empty: none is shown. */
  displayName: string
  /** `#rrggbb`; null: the usual colour. */
  accent: string | null
  supportUrl: string | null
  qr: (typeof qrFormats)[number]
  /** Origins whose pages may show it in a frame. */
  frameAncestors: readonly string[]
  logo: Logo | null
}

export interface Logo {
  type: 'image/png' | 'image/jpeg' | 'image/webp'
  bytes: Buffer
}

export const logoBytesMax = 64 * 1024

/**
 * Changes how a merchant's page looks; what is not given stays. Pages show it from their next request on.
 * @throws UsageError naming every problem at once, or when no merchant has the appid.
 */
export async function setPage(
  pool: Pool,
  appid: string,
  given: Partial<PageSettings>,
  options: ChangedBy = {},
): Promise<void> {
  const problems = pageProblems(given)
  if (problems.length > 0) throw new UsageError(problems)
  await changeMerchant(pool, { ...options, appid }, async (tx, { id }, record) => {
    await writePageSettings(tx, id, given)
    const { logo, ...settings } = given
    const logged = logo === undefined ? {} : { logo: logo && `${logo.type}, ${logo.bytes.length} bytes` }
    await record('merchant.page_set', { ...settings, ...logged })
  })
}

/**
 * Tells an image's type by its first bytes. An SVG may hold a script, so it is none.
 * @throws UsageError
 */
export function readLogo(bytes: Buffer): Logo {
  if (bytes.length > logoBytesMax)
    throw new UsageError(`logo: at most ${logoBytesMax} bytes, got ${bytes.length}`)
  const type = imageType(bytes)
  if (!type) throw new UsageError('logo: must be a PNG, JPEG or WebP')
  return { type, bytes }
}

function imageType(bytes: Buffer): Logo['type'] | null {
  const begins = (text: string, at = 0) => bytes.toString('latin1', at, at + text.length) === text
  if (begins('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (begins('\xff\xd8\xff')) return 'image/jpeg'
  return begins('RIFF') && begins('WEBP', 8) ? 'image/webp' : null
}

function pageProblems({
  displayName,
  accent,
  supportUrl,
  frameAncestors = [],
}: Partial<PageSettings>): string[] {
  const problems: string[] = []
  if (displayName !== undefined && !/^\P{Cc}{0,64}$/u.test(displayName))
    problems.push('display name: at most 64 characters, no control characters')
  if (typeof accent === 'string' && !/^#[0-9a-f]{6}$/.test(accent))
    problems.push(`accent: a colour such as #0b6e4f, got "${accent}"`)
  if (typeof supportUrl === 'string' && !isSupportUrl(supportUrl))
    problems.push('support URL: an http or https URL of at most 512 characters')
  for (const origin of frameAncestors)
    if (!isOrigin(origin))
      problems.push(`frame ancestors: origins such as https://shop.example, got "${origin}"`)
  if (frameAncestors.length > 10) problems.push('frame ancestors: at most 10')
  return problems
}

function isSupportUrl(text: string): boolean {
  return text.length <= 512 && /^https?:\/\//i.test(text) && URL.canParse(text)
}

/** It goes into a header as it is. */
function isOrigin(text: string): boolean {
  return /^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/.test(text) && URL.canParse(text)
}

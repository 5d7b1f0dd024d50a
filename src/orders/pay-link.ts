import { randomBytes } from 'node:crypto'

// pay link: the URL of an order's page for its payer.
// token: what is secret in it. Whoever has it sees that order's page, and nothing else.

const tokenBytes = 16

/** @returns 128 random bits. */
export function newPayToken(): Buffer {
  return randomBytes(tokenBytes)
}

/** The URLs of an order's page and of its QR code, for a merchant to show. */
export interface PayUrls {
  pay_url: string
  qr_svg_url: string
}

/** @param publicUrl where payers reach the gateway, without a slash at its end. */
export function payUrls(publicUrl: string, token: Buffer): PayUrls {
  const payUrl = `${publicUrl}${payPath(token)}`
  return { pay_url: payUrl, qr_svg_url: `${payUrl}/qr.svg` }
}

/** @returns the page's path: `/pay/` and the token in 22 characters of base64url. */
export function payPath(token: Buffer): string {
  return `/pay/${token.toString('base64url')}`
}

/** @returns null when the text is no token as we write it. */
export function readPayToken(text: string): Buffer | null {
  if (!/^[\w-]{22}$/.test(text)) return null
  const token = Buffer.from(text, 'base64url')
  return token.toString('base64url') === text ? token : null
}

/** The most characters of a return URL; the table's own limit. */
export const returnUrlMax = 1_024

/** @returns what is wrong with a URL that the page is to lead back to; null when it is right. */
export function returnUrlProblem(url: string): string | null {
  if (url.length > returnUrlMax) return `must have at most ${returnUrlMax} characters`
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return 'must be an http or https URL'
  const { username, password } = new URL(url)
  return username || password ? 'must not contain a user name or password' : null
}

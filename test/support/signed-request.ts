import { randomBytes } from 'node:crypto'
import type { SignatureScheme } from '../../src/merchants/signature.ts'
import { signParameters } from '../../src/merchants/signature.ts'

/** Who signs: what a merchant was given. */
export interface Caller {
  appid: string
  key: string
  scheme: SignatureScheme
}

/** Adds appid and sign, as a merchant's code does. */
export function signed(
  caller: Caller,
  endpoint: string,
  parameters: Readonly<Record<string, string>>,
): Record<string, string> {
  const all = { appid: caller.appid, ...parameters }
  return { ...all, sign: signParameters(caller.scheme, endpoint, all, caller.key) }
}

/** A fresh t and nonce. @param at the time it is signed. */
export function stamp(at = new Date()): { t: string; nonce: string } {
  return { t: String(Math.floor(at.getTime() / 1000)), nonce: randomBytes(16).toString('hex') }
}

/** The body as PHP's http_build_query writes it. */
export function formBody(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString()
}

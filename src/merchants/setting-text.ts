import { UsageError } from '../base/errors.ts'
import { eventNames, readEventNames } from './event-names.ts'
import type { MerchantSettings } from './merchant.ts'
import { type PageSettings, qrFormats } from './page-settings.ts'

// Settings as a person writes them: an option of the command line, or a field of a form. What is not given stays. An empty text removes.

/** A merchant's settings as texts. */
export type SettingTexts = Readonly<Partial<Record<keyof MerchantSettings, string | undefined>>>

/** Reads settings. @throws UsageError naming every text that is none of the choices. What they mean is checked by `setMerchant`. */
export function readSettingTexts(texts: SettingTexts): Partial<MerchantSettings> {
  const problems: string[] = []
  const { callbackUrl, callbackFormat, callbackFields, acknowledgement, events, allowedClients } = texts
  const format = choice('callback format', callbackFormat, ['form', 'json'], problems)
  const isOn = (name: string, text: string | undefined, on: string, off: string) => {
    const chosen = choice(name, text, [on, off], problems)
    return chosen === undefined ? undefined : chosen === on
  }
  const read = events === undefined ? undefined : readEventNames(events)
  if (read && read.unknown.length > 0)
    problems.push(`events: a list of ${eventNames.join(', ')}; got "${read.unknown.join()}"`)
  const settings: { [K in keyof MerchantSettings]: MerchantSettings[K] | undefined } = {
    callbackUrl: emptyToNull(callbackUrl?.trim()),
    callbackFormat: format,
    callbackFields,
    acknowledgement: emptyToNull(acknowledgement),
    always200: isOn('always 200', texts.always200, 'yes', 'no'),
    returnUrl: isOn('return URL', texts.returnUrl, 'yes', 'no'),
    requireNonce: isOn('require nonce', texts.requireNonce, 'yes', 'no'),
    events: read?.events,
    deposits: isOn('deposits', texts.deposits, 'on', 'off'),
    allowedClients: allowedClients === undefined ? undefined : listOf(allowedClients),
  }
  if (problems.length > 0) throw new UsageError(problems)
  return onlyGiven(settings)
}

/** The looks of a page as texts, but for its logo. */
export type PageTexts = Readonly<Partial<Record<Exclude<keyof PageSettings, 'logo'>, string | undefined>>>

/** Reads the looks of a page. @throws UsageError for a text that is none of the choices. What they mean is checked by `setPage`. */
export function readPageTexts(texts: PageTexts): Partial<PageSettings> {
  const problems: string[] = []
  const qr = choice('QR code', texts.qr, qrFormats, problems)
  if (problems.length > 0) throw new UsageError(problems)
  const { displayName, accent, supportUrl, frameAncestors } = texts
  return onlyGiven({
    // An empty name is one that is not shown.
    displayName: displayName?.trim(),
    accent: emptyToNull(accent?.trim().toLowerCase()),
    supportUrl: emptyToNull(supportUrl?.trim()),
    qr,
    frameAncestors: frameAncestors === undefined ? undefined : listOf(frameAncestors.toLowerCase()),
  })
}

function choice<T extends string>(
  name: string,
  text: string | undefined,
  choices: readonly T[],
  problems: string[],
): T | undefined {
  if (text === undefined) return undefined
  const chosen = choices.find(one => one === text)
  if (chosen === undefined) problems.push(`${name}: ${choices.join(', ')}; got "${text}"`)
  return chosen
}

/** A list, separated by commas or line breaks. */
function listOf(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map(part => part.trim())
    .filter(Boolean)
}

function emptyToNull(text: string | undefined): string | null | undefined {
  return text === '' ? null : text
}

/** Leaves out what was not given. */
function onlyGiven<T extends object>(read: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined)) as Partial<T>
}

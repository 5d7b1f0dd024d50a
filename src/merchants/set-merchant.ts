import { UsageError } from '../base/errors.ts'
import { isNetwork } from '../base/network-list.ts'
import { authorOf } from '../db/audit-store.ts'
import type { Pool } from '../db/pool.ts'
import { settleUrl } from './apply-url-changes.ts'
import { callbackUrlProblems, depositsNeedUrl, type UrlCheck } from './callback-url.ts'
import { type ChangedBy, changeMerchant } from './change-merchant.ts'
import { urlNotice } from './change-notices.ts'
import { moreCallbackFields, readFieldsSetting } from './chosen-fields.ts'
import type { MerchantSettings } from './merchant.ts'
import { updateSettings } from './merchant-store.ts'
import { endUrlChange, findWaitingUrl, insertUrlChange, type UrlChange } from './url-change-store.ts'

/**
 * Changes settings of a merchant; those that are not given stay. Every process uses them within a second.
 * @param given a null callbackUrl or acknowledgement removes it.
 * @param options.urlDelayMs after which another callbackUrl takes effect, in place of one that waits; undefined or 0: at once.
 * @returns the callbackUrl that waits now because of this.
 * @throws UsageError naming every problem at once, or when no merchant has the appid.
 */
export async function setMerchant(
  pool: Pool,
  appid: string,
  given: Partial<MerchantSettings>,
  options: ChangedBy & { checkUrl: UrlCheck; urlDelayMs?: number },
): Promise<UrlChange | null> {
  const changes = withPlainFields(given)
  const problems = settingProblems(given, options.checkUrl)
  if (problems.length > 0) throw new UsageError(problems)
  const { actor } = authorOf(options)
  const { urlDelayMs = 0 } = options
  const waits = urlDelayMs > 0
  return changeMerchant(pool, { ...options, appid }, async (tx, merchant, record) => {
    const { callbackUrl, ...others } = changes
    const current = await settleUrl(tx, merchant)
    const waiting = await findWaitingUrl(tx, merchant.id)
    // A form sends the URL that it shows. That leaves one that waits as it is.
    const url = waits && callbackUrl === current ? undefined : callbackUrl
    const now = url === undefined || waits ? current : url
    const later = url !== undefined ? url : waiting ? waiting.url : now
    const { deposits = merchant.deposits } = others
    if (deposits && (now === null || later === null)) throw new UsageError(depositsNeedUrl)
    const settings = waits ? others : changes
    const isChanged = url !== undefined && url !== current
    if (Object.values(settings).some(value => value !== undefined)) {
      await updateSettings(tx, merchant.id, settings)
      await record('merchant.set', settings, !waits && isChanged ? urlNotice(current, url, null) : undefined)
    }
    if (url === undefined) return null
    await endUrlChange(tx, merchant.id, { outcome: 'replaced', by: actor })
    if (!waits) return null
    const asked = await insertUrlChange(tx, merchant.id, { url, askedBy: actor, delayMs: urlDelayMs })
    const { id, effectiveAt } = asked
    await record(
      'merchant.callback_url_asked',
      { changeId: `${id}`, callbackUrl: url, effectiveAt: effectiveAt.toISOString() },
      urlNotice(current, url, effectiveAt),
    )
    return asked
  })
}

function settingProblems(changes: Partial<MerchantSettings>, checkUrl: UrlCheck): string[] {
  const { callbackUrl, callbackFormat, callbackFields, acknowledgement } = changes
  const problems: string[] = []
  if (Object.values(changes).every(value => value === undefined))
    problems.push('nothing to set: give at least one setting')
  if (typeof callbackUrl === 'string') problems.push(...callbackUrlProblems(callbackUrl, checkUrl))
  if (callbackFormat !== undefined && callbackFormat !== 'form' && callbackFormat !== 'json') {
    problems.push(`callback format: form or json, got "${callbackFormat}"`)
  }
  if (callbackFields !== undefined) problems.push(...fieldProblems(callbackFields))
  if (typeof acknowledgement === 'string' && !/^\P{Cc}{1,100}$/u.test(acknowledgement)) {
    problems.push('acknowledgement: 1 to 100 characters, no control characters')
  }
  problems.push(...allowlistProblems(changes.allowedClients ?? []))
  return problems
}

function fieldProblems(text: string): string[] {
  const { unknown } = readFieldsSetting(text)
  if (unknown.length === 0) return []
  const known = moreCallbackFields.join(', ')
  return [`callback fields: six, full, or a list of ${known}; got "${unknown.join()}"`]
}

/** Writes the fields as they are stored: in the order in which they are sent, each once. */
function withPlainFields(changes: Partial<MerchantSettings>): Partial<MerchantSettings> {
  const { callbackFields } = changes
  return callbackFields === undefined
    ? changes
    : { ...changes, callbackFields: readFieldsSetting(callbackFields).setting }
}

/** The table's own limit. */
const allowedClientsMax = 100

function allowlistProblems(clients: readonly string[]): string[] {
  const problems = clients
    .filter(client => !isNetwork(client))
    .map(client => `allowed clients: addresses and CIDRs, got "${client}"`)
  if (clients.length > allowedClientsMax) problems.push(`allowed clients: at most ${allowedClientsMax}`)
  return problems
}

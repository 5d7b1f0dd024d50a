import { UsageError } from '../base/errors.ts'
import { isNetwork } from '../base/network-list.ts'
import type { Pool } from '../db/pool.ts'
import { callbackUrlProblems, depositsNeedUrl, type UrlCheck } from './callback-url.ts'
import { changeMerchant } from './change-merchant.ts'
import { moreCallbackFields, readFieldsSetting } from './chosen-fields.ts'
import type { MerchantSettings } from './merchant.ts'
import { updateSettings } from './merchant-store.ts'

/**
 * Changes settings of a merchant; those that are not given stay. Every process uses them within a second.
 * @param given a null callbackUrl or acknowledgement removes it.
 * @throws UsageError naming every problem at once, or when no merchant has the appid.
 */
export async function setMerchant(
  pool: Pool,
  appid: string,
  given: Partial<MerchantSettings>,
  options: { checkUrl: UrlCheck; actor?: string },
): Promise<void> {
  const changes = withPlainFields(given)
  const problems = settingProblems(given, options.checkUrl)
  if (problems.length > 0) throw new UsageError(problems)
  await changeMerchant(pool, { appid, actor: options.actor }, async (tx, merchant, record) => {
    const { callbackUrl = merchant.callbackUrl, deposits = merchant.deposits } = changes
    if (deposits && callbackUrl === null) throw new UsageError(depositsNeedUrl)
    await updateSettings(tx, merchant.id, changes)
    await record('merchant.set', changes)
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

import { UsageError } from '../base/errors.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import type { NoticeKind, NoticeText } from '../notices/notice.ts'
import { notify } from '../notices/notify.ts'
import { type LockedMerchant, lockMerchant } from './merchant-store.ts'

/** The maximum of a merchant's live keys, and of its live secrets: a request is checked against every live key. */
export const liveMax = 10

/** Who changes a merchant. */
export interface ChangedBy extends Partial<Author> {
  /** Mail addresses of those who are told of it, and the operator with them; undefined: nobody is told. */
  tell?: readonly string[] | undefined
}

/** Records the change in the audit log, and tells of it where somebody is to be told, in its own transaction. */
export type RecordChange = (
  action: string,
  detail?: Record<string, unknown>,
  notice?: { kind: NoticeKind; text: NoticeText },
) => Promise<void>

/**
 * Changes a merchant in one transaction, with the merchant locked: of two operators one waits.
 * @throws UsageError when no merchant has the appid.
 */
export function changeMerchant<T>(
  pool: Pool,
  { appid, tell, ...by }: ChangedBy & { appid: string },
  change: (tx: Tx, merchant: LockedMerchant, record: RecordChange) => Promise<T>,
): Promise<T> {
  const author = authorOf(by)
  return inTransaction(pool, async tx => {
    const merchant = await lockMerchant(tx, appid)
    if (!merchant) throw new UsageError(`no merchant has the appid "${appid}"`)
    return change(tx, merchant, async (action, detail, notice) => {
      const { id: merchantId, name } = merchant
      const about = { subject: `merchant ${appid}`, merchantId, ...(detail && { detail }) }
      await recordAudit(tx, { ...author, action, ...about })
      if (!notice || !tell) return
      const { kind, text } = notice
      const { actor } = author
      await notify(tx, { kind, merchantId, to: tell, text: withFacts(text, { appid, name, actor }) })
    })
  })
}

function withFacts(
  { en, zh }: NoticeText,
  { appid, name, actor }: { appid: string; name: string; actor: string },
): NoticeText {
  return {
    en: `${en}\n\nMerchant: ${name} (${appid})\nBy: ${actor}\nIf nobody of yours did this, sign in to the console and undo it, and tell your operator.`,
    zh: `${zh}\n\n商户：${name}（${appid}）\n操作人：${actor}\n如非贵方人员操作，请登录控制台撤销，并联系运营方。`,
  }
}

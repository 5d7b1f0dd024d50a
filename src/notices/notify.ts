import assert from 'node:assert/strict'
import type { MerchantId } from '../base/ids.ts'
import type { Tx } from '../db/pool.ts'
import { isMailAddress, type NoticeKind, type NoticeText } from './notice.ts'
import { insertNotices } from './notice-store.ts'

/** Names of merchants and people are part of a text: they are short. */
const lengthMax = 2_000

/**
 * Tells of something in the transaction that does it: the operator, and by mail everybody who is named. Each message is kept in the
 * database until it is sent, by whichever process sends alarms. Where ALARM_WEBHOOK_URL or SMTP_URL is not set, nobody is told that way.
 * @param notice.merchantId null: it concerns no merchant.
 * @param notice.to mail addresses; each is sent a mail of its own, so that none sees the others.
 */
export async function notify(
  tx: Tx,
  notice: { kind: NoticeKind; merchantId: MerchantId | null; to: readonly string[]; text: NoticeText },
): Promise<void> {
  const { kind, merchantId, to, text } = notice
  const recipients = [...new Set(to)]
  for (const address of recipients) assert(isMailAddress(address), 'a mail address is checked when it is set')
  const [en, zh] = [plain(text.en), plain(text.zh)]
  await insertNotices(tx, { kind, merchantId }, [
    { channel: 'webhook', recipient: null, text: en },
    ...recipients.map(recipient => ({ channel: 'mail' as const, recipient, text: `${en}\n\n${zh}` })),
  ])
}

/** Lines of text without other control characters: some of it was written by people. */
function plain(text: string): string {
  return text
    .replaceAll(/[^\P{Cc}\n]+/gu, ' ')
    .trim()
    .slice(0, lengthMax)
}

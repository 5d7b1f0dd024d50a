import { noticeTitles } from '../notices/notice.ts'
import type { DueNotice } from '../notices/notice-store.ts'
import { textBody } from './alarm-message.ts'
import type { Mail } from './send-mail.ts'
import type { AlarmTarget } from './tell-alarms.ts'

/** Writes the body of a notice for ALARM_WEBHOOK_URL, JSON. */
export function noticeBody(
  { kind, appid, text, createdAt }: DueNotice,
  { shape, chat, gateway }: Pick<AlarmTarget, 'shape' | 'chat' | 'gateway'>,
): string {
  const title = noticeTitles[kind].en
  if (shape !== 'plain') return textBody(`[${gateway}] ${title}\n${text}`, shape, chat)
  return JSON.stringify({
    ...{ event: 'notice', notice: kind, meaning: title, text, merchant: appid },
    ...{ at: createdAt.toISOString(), gateway },
  })
}

/** Writes a notice as a mail. It is the same however often it is sent, its id too, by which a mailbox may recognize it. */
export function noticeMail({ id, kind, recipient, text, createdAt }: DueNotice, gateway: string): Mail {
  const { en, zh } = noticeTitles[kind]
  return {
    id: `notice.${id}.${createdAt.getTime()}`,
    to: recipient!,
    subject: `[${gateway}] ${en} / ${zh}`,
    text: `${text}\n\n-- \n${gateway}, ${createdAt.toISOString()}\n`,
    date: createdAt,
  }
}

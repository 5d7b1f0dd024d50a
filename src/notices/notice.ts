// notice: what is told about something that a person changed: to the operator at ALARM_WEBHOOK_URL, and by mail to those it concerns.
// It is not an alarm: nothing is wrong, unless nobody knows of the change.

/** What notices are about, as the subject of a mail. */
export const noticeTitles = {
  callback_url_changed: { en: 'Callback URL changed', zh: '回调地址变更' },
  callback_url_cancelled: { en: 'Change of the callback URL cancelled', zh: '已取消回调地址变更' },
  key_created: { en: 'Key created', zh: '已新建密钥' },
  key_promoted: { en: 'Key promoted', zh: '已切换签名密钥' },
  key_retired: { en: 'Key retired', zh: '已停用密钥' },
  secret_created: { en: 'Webhook secret created', zh: '已新建 Webhook 密钥' },
  secret_retired: { en: 'Webhook secret retired', zh: '已停用 Webhook 密钥' },
  user_invited: { en: 'User invited', zh: '已邀请用户' },
  user_changed: { en: 'User or role changed', zh: '用户或角色变更' },
  signed_in_by_link: { en: 'Signed in by a reset link', zh: '通过重置链接登录' },
} as const

export type NoticeKind = keyof typeof noticeTitles

/** A text in both languages. It contains no secret, and no link: whoever reads it signs in as always. */
export interface NoticeText {
  en: string
  zh: string
}

/** Whether a text is a mail address as we send to it: one address, without a name, quotes or anything else than its two parts. */
export function isMailAddress(text: string): boolean {
  return text.length <= 254 && /^[^\s\p{Cc}<>,;:"()\\@]{1,64}@[^\s\p{Cc}<>,;:"()\\@]+$/u.test(text)
}

import type { MerchantId } from '../base/ids.ts'
import type { Tx } from '../db/pool.ts'
import type { NoticeKind, NoticeText } from '../notices/notice.ts'
import { notify } from '../notices/notify.ts'
import type { Role } from './permission.ts'
import { listAdmins, membershipsOf, ownersOf, type User } from './user-store.ts'

// What others are told when people or their rights change. No link is part of it: whoever has one can become that person.

/** What somebody may, or may no more (null). `admin`: of the gateway. */
export type ToldRight = { merchantId: MerchantId; appid: string; role: Role | null } | { admin: boolean }

const rolesZh: Record<Role, string> = {
  ...{ owner: '所有者', developer: '开发', finance: '财务', support: '客服' },
}

/** Mail addresses of those who answer for a right: a merchant's owners, or the gateway's admins. */
export async function answerableFor(tx: Tx, right: ToldRight): Promise<string[]> {
  if (!('admin' in right)) return ownersOf(tx, right.merchantId)
  return (await listAdmins(tx)).filter(one => !one.disabledAt).map(({ email }) => email)
}

/** Tells of an invitation: those who answer for the right. */
export async function tellInvited(tx: Tx, email: string, right: ToldRight, actor: string): Promise<void> {
  const { en, zh } = textOf(right)
  await tell(tx, 'user_invited', right, await answerableFor(tx, right), {
    en: `${email} was invited: ${en}.\n\nBy: ${actor}`,
    zh: `已邀请 ${email}：${zh}。\n\n操作人：${actor}`,
  })
}

/** Tells of a right that somebody has now, or has no more. @param to also those who answered for it before. */
export async function tellRight(
  tx: Tx,
  { email, right, actor, to }: { email: string; right: ToldRight; actor: string; to: readonly string[] },
): Promise<void> {
  const { en, zh } = textOf(right)
  await tell(tx, 'user_changed', right, [...to, email], {
    en: `What ${email} may has changed: ${en}.\n\nBy: ${actor}`,
    zh: `${email} 的权限已变更：${zh}。\n\n操作人：${actor}`,
  })
}

/** Tells that a password was set by a link: the person, and everybody who answers for what the person may. */
export async function tellReset(
  tx: Tx,
  { id, email, admin }: Pick<User, 'id' | 'email' | 'admin'>,
): Promise<void> {
  const rights: ToldRight[] = (await membershipsOf(tx, id)).map(one => ({ ...one, role: one.role }))
  if (admin) rights.push({ admin })
  const others = []
  for (const right of rights) others.push(...(await answerableFor(tx, right)))
  await notify(tx, {
    ...{ kind: 'signed_in_by_link', merchantId: null, to: [email, ...others] },
    text: {
      en: `${email} has set a new password by a reset link, and signed in. If that was not you, tell an owner of your merchant or your operator at once.`,
      zh: `${email} 已通过重置链接设置新密码并登录。如非本人操作，请立即联系商户的所有者或运营方。`,
    },
  })
}

function textOf(right: ToldRight): NoticeText {
  if ('admin' in right)
    return right.admin
      ? { en: 'an admin of the gateway', zh: '网关管理员' }
      : { en: 'no admin of the gateway any more', zh: '不再是网关管理员' }
  const { appid, role } = right
  if (role === null)
    return { en: `no member of merchant ${appid} any more`, zh: `不再是商户 ${appid} 的成员` }
  return { en: `${role} of merchant ${appid}`, zh: `商户 ${appid} 的${rolesZh[role]}` }
}

function tell(
  tx: Tx,
  kind: NoticeKind,
  right: ToldRight,
  to: readonly string[],
  text: NoticeText,
): Promise<void> {
  const merchantId = 'admin' in right ? null : right.merchantId
  return notify(tx, { kind, merchantId, to, text })
}

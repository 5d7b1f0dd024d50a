import { shownUrl } from '../base/hide-secrets.ts'
import type { NoticeKind, NoticeText } from '../notices/notice.ts'
import type { SignatureScheme } from './signature.ts'

// What people are told of a merchant's changes. A URL is shown without its path, and of a key or secret only its number.

export interface ChangeNotice {
  kind: NoticeKind
  text: NoticeText
}

/** @param at when it takes effect; null: it has. */
export function urlNotice(from: string | null, to: string | null, at: Date | null): ChangeNotice {
  const [en, zh] = [(url: string | null) => shown(url, 'none'), (url: string | null) => shown(url, '无')]
  const text =
    at === null
      ? {
          en: `The default callback URL has changed from ${en(from)} to ${en(to)}.`,
          zh: `默认回调地址已由 ${zh(from)} 变更为 ${zh(to)}。`,
        }
      : {
          en: `The default callback URL will change from ${en(from)} to ${en(to)} at ${timeOf(at)}. Until then an owner can cancel that in the console's settings.`,
          zh: `默认回调地址将于 ${timeOf(at)} 由 ${zh(from)} 变更为 ${zh(to)}。在此之前，所有者可在控制台“设置”中取消。`,
        }
  return { kind: 'callback_url_changed', text }
}

/** @param url that does not take effect. */
export function urlCancelledNotice(url: string | null): ChangeNotice {
  return {
    kind: 'callback_url_cancelled',
    text: {
      en: `The default callback URL stays as it is. It was to become ${shown(url, 'none')}.`,
      zh: `默认回调地址保持不变，原定变更为 ${shown(url, '无')}。`,
    },
  }
}

export function keyNotice(
  kind: 'key_created' | 'key_promoted',
  { id, scheme }: { id: bigint; scheme: SignatureScheme },
): ChangeNotice {
  const text =
    kind === 'key_created'
      ? {
          en: `Key ${id} (${scheme}) was created. Requests signed with it are accepted from now on.`,
          zh: `已新建密钥 ${id}（${scheme}）。使用该密钥签名的请求即刻生效。`,
        }
      : {
          en: `Key ${id} (${scheme}) signs callbacks from now on.`,
          zh: `回调现改由密钥 ${id}（${scheme}）签名。`,
        }
  return { kind, text }
}

export function keyRetiredNotice(id: bigint, at: Date): ChangeNotice {
  return {
    kind: 'key_retired',
    text: {
      en: `Key ${id} is retired as of ${timeOf(at)}. Requests signed with it are refused then.`,
      zh: `密钥 ${id} 自 ${timeOf(at)} 起停用，此后用其签名的请求将被拒绝。`,
    },
  }
}

export function secretCreatedNotice(id: bigint): ChangeNotice {
  return {
    kind: 'secret_created',
    text: {
      en: `Webhook secret ${id} was created. Callbacks carry one more signature from now on.`,
      zh: `已新建 Webhook 密钥 ${id}，此后回调将多带一个签名。`,
    },
  }
}

export function secretRetiredNotice(id: bigint, at: Date): ChangeNotice {
  return {
    kind: 'secret_retired',
    text: {
      en: `Webhook secret ${id} is retired as of ${timeOf(at)}. Callbacks carry no signature of it then.`,
      zh: `Webhook 密钥 ${id} 自 ${timeOf(at)} 起停用，此后回调不再带其签名。`,
    },
  }
}

function shown(url: string | null, none: string): string {
  return url === null ? none : shownUrl(url)
}

function timeOf(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

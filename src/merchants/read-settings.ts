import type { MerchantId } from '../base/ids.ts'
import { type Queryable, rows } from '../db/pool.ts'
import { type ListedKey, listKeys } from './key-store.ts'
import type { MerchantSettings } from './merchant.ts'
import type { Logo, PageSettings } from './page-settings.ts'
import { findWaitingUrl, type UrlChange } from './url-change-store.ts'
import { type ListedSecret, listWebhookSecrets } from './webhook-secret-store.ts'

/** Everything that a merchant's people may see of its settings. No key or secret. */
export interface ReadSettings {
  settings: MerchantSettings & { acknowledgementAnywhere: boolean }
  /** A default callback URL that takes effect later. */
  waiting: UrlChange | null
  page: Omit<PageSettings, 'logo'> & { logo: { type: Logo['type']; size: number } | null }
  keys: ListedKey[]
  secrets: ListedSecret[]
  /** The account's extended public key, of which the addresses are derived. */
  xpub: string
}

/** Reads a merchant's settings, as they are in effect now. */
export async function readSettings(db: Queryable, id: MerchantId): Promise<ReadSettings> {
  const [[read], waiting, keys, secrets] = await Promise.all([
    rows<Omit<ReadSettings, 'waiting' | 'keys' | 'secrets'>>(
      db,
      `select jsonb_build_object(
                'callbackUrl', case when d.id is null then m.callback_url else d.url end,
                'callbackFormat', m.callback_format, 'callbackFields', m.callback_fields, 'acknowledgement', m.acknowledgement,
                'acknowledgementAnywhere', m.acknowledgement_anywhere, 'always200', m.always_200, 'returnUrl', m.return_url,
                'requireNonce', m.require_nonce, 'events', m.events, 'deposits', m.deposits,
                'allowedClients', m.allowed_clients) as settings,
              jsonb_build_object(
                'displayName', coalesce(p.display_name, ''), 'accent', p.accent, 'supportUrl', p.support_url,
                'qr', coalesce(p.qr, 'address'), 'frameAncestors', coalesce(p.frame_ancestors, '{}'),
                'logo', case when p.logo is not null
                        then jsonb_build_object('type', p.logo_type, 'size', length(p.logo)) end) as page,
              a.xpub
         from merchant m
         join address_counter a on a.id = m.address_counter_id
         left join merchant_page p on p.merchant_id = m.id
         left join due_callback_url d on d.merchant_id = m.id
        where m.id = $1`,
      [id],
    ),
    findWaitingUrl(db, id),
    listKeys(db, id),
    listWebhookSecrets(db, id),
  ])
  return { ...read!, waiting, keys, secrets }
}

/** Reads the logo of a merchant's page. */
export async function readMerchantLogo(db: Queryable, id: MerchantId): Promise<Logo | null> {
  const [logo] = await rows<Logo>(
    db,
    `select logo as bytes, logo_type as type from merchant_page where merchant_id = $1 and logo is not null`,
    [id],
  )
  return logo ?? null
}

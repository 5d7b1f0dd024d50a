import type { MerchantId } from '../base/ids.ts'
import { run, type Tx } from '../db/pool.ts'
import type { PageSettings } from './page-settings.ts'

/** Writes the settings that are given; the others stay, or are the usual ones. */
export async function writePageSettings(tx: Tx, id: MerchantId, given: Partial<PageSettings>): Promise<void> {
  const { logo } = given
  const values = {
    display_name: given.displayName,
    accent: given.accent,
    support_url: given.supportUrl,
    qr: given.qr,
    frame_ancestors: given.frameAncestors,
    ...(logo !== undefined && { logo: logo?.bytes ?? null, logo_type: logo?.type ?? null }),
  }
  const named = Object.entries(values).filter(([, value]) => value !== undefined)
  const columns = named.map(([column]) => column)
  await run(
    tx,
    `insert into merchant_page (${['merchant_id', ...columns].join(', ')})
     values (${['$1', ...columns.map((_, i) => `$${i + 2}`)].join(', ')})
     on conflict (merchant_id) do update
        set ${columns.map(column => `${column} = excluded.${column}`).join(', ')}`,
    [id, ...named.map(([, value]) => value)],
  )
}

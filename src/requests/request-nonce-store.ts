import type { MerchantId } from '../base/ids.ts'
import { type Pool, promptly, rows, run } from '../db/pool.ts'

export interface RequestNonce {
  merchantId: MerchantId
  nonce: string
  /** The verified signature, upper-case hex. */
  sign: string
}

/** new: not seen in the last ten minutes; same: seen with this sign; other: seen with another sign. */
export type NonceUse = 'new' | 'same' | 'other'

/**
 * Stores nonces that were not used in the last ten minutes, in one statement outside any transaction.
 * @param nonces each nonce of a merchant at most once.
 * @returns the use of each, in their order.
 */
export async function keepNonces(pool: Pool, nonces: readonly RequestNonce[]): Promise<NonceUse[]> {
  // A nonce that has expired but is not purged yet counts as new.
  // A second statement reads the nonces that were not stored: it sees rows that the first one had to wait for.
  const values = [nonces.map(n => n.merchantId), nonces.map(n => n.nonce), nonces.map(n => n.sign)]
  const kept = await rows<{ merchant_id: MerchantId; nonce: string }>(pool, {
    name: 'keep-nonces',
    ...promptly,
    text: `insert into request_nonce (merchant_id, nonce, sign)
           select *
             from unnest($1::bigint[], $2::text[], $3::text[]) as n (merchant_id, nonce, sign)
            order by n.merchant_id, n.nonce
               on conflict (merchant_id, nonce) do update
                  set sign = excluded.sign, created_at = excluded.created_at
                where request_nonce.created_at < now() - interval '10 minutes'
        returning merchant_id, nonce`,
    values,
  })
  const isNew = new Set(kept.map(row => `${row.merchant_id} ${row.nonce}`))
  if (isNew.size === nonces.length) return nonces.map(() => 'new')
  const seen = await rows<{ same: boolean | null }>(pool, {
    name: 'seen-nonces',
    ...promptly,
    text: `select n.sign = r.sign as same
             from unnest($1::bigint[], $2::text[], $3::text[]) with ordinality as n (merchant_id, nonce, sign, position)
             left join request_nonce r on r.merchant_id = n.merchant_id and r.nonce = n.nonce
            order by n.position`,
    values,
  })
  return nonces.map(({ merchantId, nonce }, i) => {
    if (isNew.has(`${merchantId} ${nonce}`)) return 'new'
    // null: purged between the two statements. It was used, and its sign is no longer known.
    return seen[i]!.same === true ? 'same' : 'other'
  })
}

/** Deletes nonces older than ten minutes. @returns how many. */
export async function purgeNonces(pool: Pool): Promise<number> {
  return run(
    pool,
    `delete from request_nonce
      where created_at < now() - interval '10 minutes'`,
  )
}

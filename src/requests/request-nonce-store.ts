import type { Pool } from '../db/pool.ts'

export interface RequestNonce {
  merchantId: bigint
  nonce: string
  /** The verified signature, upper-case hex. */
  sign: string
}

/** new: not seen within the time kept; same: seen with this very sign; other: seen with another one. */
export type NonceUse = 'new' | 'same' | 'other'

/**
 * Keeps nonces, each at its first use, in one statement of its own.
 * @param nonces at most one of each merchant's nonce.
 * @returns what each turned out to be, in their order.
 */
export async function keepNonces(pool: Pool, nonces: readonly RequestNonce[]): Promise<NonceUse[]> {
  // One that is older than what we keep, and only not purged yet, counts as new.
  // A second statement reads the losers: it sees what the first had to wait for.
  const values = [nonces.map(n => n.merchantId), nonces.map(n => n.nonce), nonces.map(n => n.sign)]
  const kept = await pool.query({
    name: 'keep-nonces',
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
  const isNew = new Set(kept.rows.map(row => `${row.merchant_id} ${row.nonce}`))
  if (isNew.size === nonces.length) return nonces.map(() => 'new')
  const seen = await pool.query({
    name: 'seen-nonces',
    text: `select n.sign = r.sign as same
             from unnest($1::bigint[], $2::text[], $3::text[]) with ordinality as n (merchant_id, nonce, sign, position)
             left join request_nonce r on r.merchant_id = n.merchant_id and r.nonce = n.nonce
            order by n.position`,
    values,
  })
  return nonces.map(({ merchantId, nonce }, i) => {
    if (isNew.has(`${merchantId} ${nonce}`)) return 'new'
    // Purged between the two statements: it was seen, and nobody knows with which sign.
    return seen.rows[i].same === true ? 'same' : 'other'
  })
}

/** Forgets nonces older than ten minutes. @returns how many. */
export async function purgeNonces(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from request_nonce
      where created_at < now() - interval '10 minutes'`,
  )
  return rowCount ?? 0
}

import type { Queryable } from '../db/pool.ts'

/**
 * Takes or renews the watcher's lease, by the database's clock. One statement and no session state, so that it holds
 * through a transaction-pooling proxy too.
 * @returns the lease's epoch, which moves on with every new holder; null while another holds it.
 */
export async function takeLease(db: Queryable, holder: string, ttlMs: number): Promise<bigint | null> {
  const { rows } = await db.query(
    `insert into watcher_lease as lease (holder, epoch, expires_at)
     values ($1, 1, now() + make_interval(secs => $2::float8 / 1000))
     on conflict (single) do update
        set holder = excluded.holder,
            epoch = lease.epoch + (lease.holder <> excluded.holder)::integer,
            expires_at = excluded.expires_at
      where lease.holder = excluded.holder or lease.expires_at <= now()
     returning epoch`,
    [holder, ttlMs],
  )
  return rows[0]?.epoch ?? null
}

/** Gives the lease back, so that another need not wait for its end. */
export async function releaseLease(db: Queryable, holder: string): Promise<void> {
  await db.query(`update watcher_lease set expires_at = now() where holder = $1`, [holder])
}

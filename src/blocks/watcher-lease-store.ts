import { type Queryable, rows, run } from '../db/pool.ts'

/**
 * Takes or renews the watcher's lease, by the database's clock. One statement without session state, so that it works
 * through a transaction-pooling proxy.
 * @returns the lease's epoch, which increases with every new holder; null while another watcher holds it.
 */
export async function takeLease(db: Queryable, holder: string, ttlMs: number): Promise<bigint | null> {
  const [lease] = await rows<{ epoch: bigint }>(
    db,
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
  return lease?.epoch ?? null
}

/** Ends the lease now, so that another watcher need not wait until it expires. */
export async function releaseLease(db: Queryable, holder: string): Promise<void> {
  await run(db, `update watcher_lease set expires_at = now() where holder = $1`, [holder])
}

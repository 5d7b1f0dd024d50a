import { type Queryable, rows, run } from '../db/pool.ts'
import type { ProducerKeys } from '../tron/verify/block-producer.ts'

/** How a producer became known: most hosts named it, or its block became solid under the producers known before. */
export type ProducerSource = 'hosts' | 'block'

/** Reads the known producers, each with the keys that may sign for it. Empty before any host named them. */
export async function readProducers(db: Queryable): Promise<ProducerKeys> {
  const found = await rows<{ address: string; signers: string[] }>(
    db,
    `select address, signers from chain_producer`,
  )
  return new Map(found.map(({ address, signers }) => [address, signers]))
}

/** Adds producers, or keys to those that are known. A key that is known stays known. */
export async function addProducers(
  db: Queryable,
  producers: ProducerKeys,
  source: ProducerSource,
): Promise<void> {
  const found = [...producers].flatMap(([address, signers]) => signers.map(signer => ({ address, signer })))
  if (found.length === 0) return
  await run(
    db,
    `insert into chain_producer as known (address, signers, source)
     select address, array_agg(signer), $3
       from unnest($1::text[], $2::text[]) as named (address, signer)
      group by address
     on conflict (address) do update
        set updated_at = now(),
            signers = known.signers
                      || array(select unnest(excluded.signers) except select unnest(known.signers))`,
    [found.map(({ address }) => address), found.map(({ signer }) => signer), source],
  )
}

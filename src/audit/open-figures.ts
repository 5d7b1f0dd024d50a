import type { SnapshotRead } from './read-snapshot.ts'

/** What is open, in the whole gateway: each a figure that somebody should know of. Units: base units. */
export interface OpenFigures {
  /** null: nothing is watched yet. `from`: the first header that is kept. */
  cursor: { network: string; height: number; time: Date; startHeight: number; from: number | null } | null
  unclaimed: { transfers: bigint; units: bigint }
  held: { transfers: bigint; units: bigint }
  quarantined: { transfers: bigint; units: bigint }
  behind: { transfers: bigint; units: bigint }
  /** Logs and transfers parked for a person to look at. */
  quarantine: bigint
  discrepancies: bigint
  heldCallbacks: bigint
  exhaustedCallbacks: bigint
}

const reasons = ['unclaimed', 'held', 'quarantined', 'behind'] as const

export async function readOpenFigures(read: SnapshotRead): Promise<OpenFigures> {
  const [cursor] = await read<NonNullable<OpenFigures['cursor']>>(
    `select network, height, block_time as "time", start_height as "startHeight",
            (select min(height) from chain_block) as "from"
       from chain_cursor`,
  )
  const waiting = await read<{ reason: string; transfers: bigint; units: bigint }>(
    `select w.reason, count(*) as transfers, sum(t.amount)::bigint as units
       from waiting_transfer w
       join transfer t on t.id = w.transfer_id
      group by w.reason`,
  )
  const [counts] = await read<
    Pick<OpenFigures, 'quarantine' | 'discrepancies' | 'heldCallbacks' | 'exhaustedCallbacks'>
  >(
    `select (select count(*) from quarantine where resolved_at is null) as quarantine,
            (select count(*) from discrepancy where resolved_at is null) as discrepancies,
            (select count(*) from callback_outbox where state = 'held') as "heldCallbacks",
            (select count(*) from callback where exhausted_at is not null) as "exhaustedCallbacks"`,
  )
  const figures = Object.fromEntries(
    reasons.map(reason => {
      const found = waiting.find(row => row.reason === reason)
      return [reason, { transfers: found?.transfers ?? 0n, units: found?.units ?? 0n }]
    }),
  ) as Pick<OpenFigures, (typeof reasons)[number]>
  return { cursor: cursor ?? null, ...figures, ...counts! }
}

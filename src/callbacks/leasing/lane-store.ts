import type { Queryable } from '../../db/pool.ts'
import { type CircuitTuning, defaultCircuit } from './circuit.ts'
import { type LeasedCallback, leasedCallback } from './lease-store.ts'

/**
 * Leases callbacks that are due, fairly: the least recently served lane first, a turn for each lane before anyone's
 * second, and no lane above its cap; one whose circuit is open is given a probe when the time for it has come. Disabled
 * merchants are passed over. Several couriers may do it at once: they take different lanes.
 * @param slots how many at the most: as many as the courier can send now.
 * @returns what was leased, with all that is needed to send it.
 * @see prisma/migrations/0007_lease for the function, which locks the lanes it serves and then takes.
 */
export async function leaseCallbacks(
  db: Queryable,
  slots: number,
  leaseMs: number,
  probing: Pick<CircuitTuning, 'probeFirstMs' | 'probeMaxMs'> = defaultCircuit,
): Promise<LeasedCallback[]> {
  if (slots <= 0) return []
  const { rows } = await db.query({
    name: 'lease_callbacks',
    text: `
      select l.lease_epoch, l.schedule_step, l.now_ms, (l.facts).*
        from lease_callbacks($1, $2 * interval '1 millisecond', $3 * interval '1 millisecond',
                             $4 * interval '1 millisecond') l`,
    values: [slots, leaseMs, probing.probeFirstMs, probing.probeMaxMs],
  })
  return rows.map(leasedCallback)
}

import type { MerchantId } from '../../base/ids.ts'
import { type Queryable, rows, run } from '../../db/pool.ts'
import type { SignedParameters } from '../../merchants/signature.ts'

export type EventId = bigint & { readonly id: 'event' }

/** A leased event with everything its attempt needs. */
export interface LeasedEvent {
  id: EventId
  merchantId: MerchantId
  key: string
  event: string
  notifyUrl: string | null
  fields: SignedParameters
  /** This one included. With the id it names the lease: each lease is an attempt. */
  attempts: number
  /** The database's time. */
  now: Date
}

/** How an attempt of an event ended. */
export interface EndedEvent {
  id: EventId
  attempts: number
  outcome: string
  status: number | null
  next: { kind: 'delivered' | 'dropped' } | { kind: 'retry'; inMs: number }
}

/** Longer than an attempt takes. A courier that dies keeps an event for that long. */
const leaseMs = 30_000

/**
 * Leases due events, at most a few of each merchant at a time. Which merchants come first is left to chance: one with a
 * hundred thousand events waits as long as one with a single one.
 * @param limits `perMerchant`: how many of a merchant may be under way at all couriers together.
 * @param resting merchants whose endpoints have just failed.
 */
export async function leaseEvents(
  db: Queryable,
  limits: { slots: number; perMerchant: number },
  resting: readonly MerchantId[],
): Promise<LeasedEvent[]> {
  if (limits.slots <= 0) return []
  return rows<LeasedEvent>(db, {
    name: 'lease_events',
    text: `
      with wanted as (
        select e.id
          from merchant m
         cross join lateral (
           select id
             from event
            where merchant_id = m.id and delivered_at is null and dropped_at is null and due_at <= now()
              -- One that was asked for when it was written may not be wanted any more.
              and event = any(m.events)
            order by due_at, id
            limit greatest($2 - (select count(*)
                                   from event
                                  where merchant_id = m.id and leased_until is not null and leased_until > now()), 0)
         ) e
         where m.disabled_at is null and cardinality(m.events) > 0 and m.id <> all($3::bigint[])
         order by random()
         limit $1
      ), locked as (
        -- Still due: another courier may have leased it meanwhile.
        select id
          from event
         where id = any(array(select id from wanted))
           and delivered_at is null and dropped_at is null and due_at <= now()
         order by id
           for update skip locked
      )
      update event
         set attempts = attempts + 1, leased_until = now() + $4 * interval '1 millisecond',
             due_at = now() + $4 * interval '1 millisecond'
       where id = any(array(select id from locked))
      returning id, merchant_id as "merchantId", key, event, notify_url as "notifyUrl", fields, attempts,
                clock_timestamp() as "now"`,
    values: [limits.slots, limits.perMerchant, resting, leaseMs],
  })
}

/** Records how an attempt ended. It changes nothing when the event has been leased again since. */
export async function recordEvent(db: Queryable, ended: EndedEvent): Promise<void> {
  const { next } = ended
  await run(
    db,
    `update event
        set leased_until = null, last_outcome = $3, last_status = $4,
            due_at = now() + $6 * interval '1 millisecond',
            delivered_at = case when $5 = 'delivered' then now() end,
            dropped_at = case when $5 = 'dropped' then now() end
      where id = $1 and attempts = $2 and leased_until is not null`,
    [ended.id, ended.attempts, ended.outcome, ended.status, next.kind, next.kind === 'retry' ? next.inMs : 0],
  )
}

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
  /** Of its order's own URL, or of the merchant's default when it was leased. */
  origin: string
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

/** How many of a merchant's due events are looked at: the oldest. More when an origin of it rests, whose events are put off. */
const nearMax = 20
const nearRestingMax = 2_000

/** SQL for the origin of an event's URL. Origins that are spelled in two ways count as two. */
const originSql = `coalesce(lower(substring(coalesce(e.notify_url, m.callback_url) from '^[^:]+://[^/?#]+')), '')`

/** An origin of a merchant whose endpoint has just failed. */
export interface RestingOrigin {
  merchantId: MerchantId
  origin: string
  /** For how much longer it rests. */
  restMs: number
}

/**
 * Leases due events, at most a few of each merchant and of each of its origins at a time. Which merchants come first is left to
 * chance: one with a hundred thousand events waits as long as one with a single one. Events of resting origins are put off
 * until these have rested, without an attempt, so that those of the merchant's other origins come first.
 * @param limits `perMerchant`, `perOrigin`: how many may be under way at all couriers together.
 */
export async function leaseEvents(
  db: Queryable,
  limits: { slots: number; perMerchant: number; perOrigin: number },
  resting: readonly RestingOrigin[],
): Promise<LeasedEvent[]> {
  if (limits.slots <= 0) return []
  return rows<LeasedEvent>(db, {
    name: 'lease_events',
    text: `
      with resting as (
        select *
          from unnest($4::bigint[], $5::text[], $6::float8[]) as r (merchant_id, origin, rest_ms)
      ), near as (
        select e.id, e.due_at, m.id as merchant_id, e.origin, r.rest_ms
          from merchant m
         cross join lateral (
           select e.id, e.due_at, ${originSql} as origin
             from event e
            where e.merchant_id = m.id and e.delivered_at is null and e.dropped_at is null and e.due_at <= now()
              -- One that was asked for when it was written may not be wanted any more.
              and e.event = any(m.events)
            order by e.due_at, e.id
            limit case when m.id = any($4::bigint[]) then ${nearRestingMax} else ${nearMax} end
         ) e
          left join resting r on r.merchant_id = m.id and r.origin = e.origin
         where m.disabled_at is null and cardinality(m.events) > 0
      ), put_off as (
        update event
           set due_at = now() + n.rest_ms * interval '1 millisecond'
          from (select e.id, n.rest_ms
                  from near n
                  join event e on e.id = n.id
                 where n.rest_ms is not null and e.delivered_at is null and e.dropped_at is null and e.due_at <= now()
                 order by e.id
                   for update of e skip locked) n
         where event.id = n.id
      ), under_way as (
        select e.merchant_id, ${originSql} as origin, count(*) as count
          from event e
          join merchant m on m.id = e.merchant_id
         where e.leased_until is not null and e.leased_until > now()
         group by 1, 2
      ), of_origin as (
        select n.id, n.due_at, n.merchant_id,
               row_number() over (partition by n.merchant_id, n.origin order by n.due_at, n.id) + coalesce(u.count, 0) as place
          from near n
          left join under_way u on u.merchant_id = n.merchant_id and u.origin = n.origin
         where n.rest_ms is null
      ), of_merchant as (
        select o.id,
               row_number() over (partition by o.merchant_id order by o.due_at, o.id)
                 + (select coalesce(sum(u.count), 0) from under_way u where u.merchant_id = o.merchant_id) as place
          from of_origin o
         where o.place <= $3
      ), locked as (
        -- Still due: another courier may have leased it meanwhile.
        select id
          from event
         where id = any(array(select id from of_merchant where place <= $2 order by random() limit $1))
           and delivered_at is null and dropped_at is null and due_at <= now()
         order by id
           for update skip locked
      )
      update event e
         set attempts = e.attempts + 1, leased_until = now() + $7 * interval '1 millisecond',
             due_at = now() + $7 * interval '1 millisecond'
        from merchant m
       where e.id = any(array(select id from locked)) and m.id = e.merchant_id
      returning e.id, e.merchant_id as "merchantId", e.key, e.event, e.notify_url as "notifyUrl", ${originSql} as origin, e.fields,
                e.attempts, clock_timestamp() as "now"`,
    values: [
      ...[limits.slots, limits.perMerchant, limits.perOrigin],
      resting.map(({ merchantId }) => merchantId),
      resting.map(({ origin }) => origin),
      resting.map(({ restMs }) => restMs),
      leaseMs,
    ],
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

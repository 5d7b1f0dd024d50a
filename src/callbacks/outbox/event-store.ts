import { type Queryable, run } from '../../db/pool.ts'
import { eventFields, type NewEvent } from './event.ts'

/** Writes events that their merchants have asked for, each once: one that is written already stays as it is. @returns how many. */
export async function insertEvents(db: Queryable, events: readonly NewEvent[]): Promise<number> {
  if (events.length === 0) return 0
  return await run(
    db,
    `insert into event (key, merchant_id, event, notify_url, fields)
     select e.key, e.merchant_id, e.event, e.notify_url, e.fields
       from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::jsonb[]) with ordinality
              as e (key, merchant_id, event, notify_url, fields, position)
       join merchant m on m.id = e.merchant_id and e.event = any(m.events)
      order by e.position
         on conflict (key) do nothing`,
    [
      events.map(({ key }) => key),
      events.map(({ merchantId }) => merchantId),
      events.map(({ event }) => event),
      events.map(({ notifyUrl }) => notifyUrl),
      events.map(event => JSON.stringify(eventFields(event))),
    ],
  )
}

/** The most rows dropped, or deleted, by one statement. */
const batch = 1_000

/** Gives up events that nobody has taken for a day: what they show is history by then. @returns how many, up to a bound. */
export async function dropOldEvents(db: Queryable): Promise<number> {
  return await run(
    db,
    `update event
        set dropped_at = now(), leased_until = null
      where id = any(array(select id
                             from event
                            where created_at < now() - interval '1 day' and delivered_at is null and dropped_at is null
                            order by created_at
                            limit $1
                              for update skip locked))`,
    [batch],
  )
}

/** Deletes events that are a week old. @returns how many, up to a bound. */
export async function deleteOldEvents(db: Queryable): Promise<number> {
  return await run(
    db,
    `delete from event
      where id = any(array(select id
                             from event
                            where created_at < now() - interval '7 days'
                            order by created_at
                            limit $1
                              for update skip locked))`,
    [batch],
  )
}

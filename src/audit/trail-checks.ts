import { type Queryable, rows } from '../db/pool.ts'
import type { AuditChecks } from './audit-check.ts'

/** What the chain begins with, in place of the hash of an event before it. */
const noHash = `decode(repeat('00', 32), 'hex')`

const microseconds = '(extract(epoch from created_at) * 1000000)::bigint'

/** An event's content as it is hashed. Written out here as well as in the migration: a function may have been replaced. */
const content = `convert_to(jsonb_build_array(chain_position, id, ${microseconds}, actor, action, subject, detail, reason, address,
                              merchant_id)::text, 'UTF8')`
const contentBefore = `convert_to(jsonb_build_array(id, ${microseconds}, actor, action, subject, detail)::text, 'UTF8')`

/** Events of the chain in its order, each with the place and the hash of the one before it. @param where which ones. */
const chained = (where: string) => `
      select id, chain_position, hash, ${content} as content,
             lag(chain_position, 1, 0::bigint) over chain as position_before, lag(hash, 1, ${noHash}) over chain as hash_before
        from audit_event
       where ${where}
      window chain as (order by chain_position)`

const isBroken = 'chain_position <> position_before + 1 or hash <> sha256(hash_before || content)'

/**
 * Follows the chain of audit events from its beginning, and compares the events from before it with their digest. Whoever can
 * change rows as a superuser can also write the whole chain anew: only a hash that is kept elsewhere shows that.
 */
export const trailChecks: AuditChecks = {
  holds: {
    'audit.chained': 'each audit event follows from the one before it, up to the end of the chain',
    'audit.older': 'the audit events from before the chain are those that it began with',
  },
  sql: `
    with began as (
      select id, detail from audit_event where chain_position = 1
    ), event as (${chained('chain_position is not null')}
    ), last as (
      select chain_position, hash from audit_event where chain_position is not null order by chain_position desc limit 1
    ), older as (
      select count(*) as events, encode(sha256(coalesce(string_agg(sha256(${contentBefore}), ''::bytea order by id), '')), 'hex') as digest
        from audit_event
       where chain_position is null and id < coalesce((select id from began), 0)
    )
    select 'audit.chained' as check_name, null as appid, 'audit event ' || id as subject,
           case when chain_position <> position_before + 1
                then 'is event ' || chain_position || ' of the chain, the one before it is ' || position_before || ': '
                  || chain_position - position_before - 1 || ' missing'
                else 'event ' || chain_position || ' of the chain is not what was recorded, or another one was before it' end as detail
      from event
     where ${isBroken}
     union all
    select 'audit.chained', null, 'audit event ' || id, 'is not in the chain, though later than its beginning'
      from audit_event
     where chain_position is null and id > (select id from began)
     union all
    select 'audit.chained', null, 'audit event (the end)',
           'the chain ends with event ' || coalesce(c.chain_position || ' ' || encode(c.hash, 'hex'), '(not recorded)')
             || ', the last one is ' || coalesce(l.chain_position || ' ' || encode(l.hash, 'hex'), 'none')
      from (select) one
      left join audit_chain c on true
      left join last l on true
     where (c.chain_position, c.hash) is distinct from (l.chain_position, l.hash)
     union all
    select 'audit.chained', null, 'audit event (the first)', 'is not the one that the chain begins with, audit.began'
     where not exists (select from audit_event where chain_position = 1 and action = 'audit.began')
     union all
    select 'audit.older', null, 'audit event ' || e.id, 'has a reason, an address or a merchant that it did not have when the chain began'
      from audit_event e
     where e.chain_position is null and e.id < (select id from began)
       and (e.reason is not null or e.address is not null
            or e.merchant_id is distinct from (select id from merchant where e.subject like 'merchant %' and appid = substr(e.subject, 10)))
     union all
    select 'audit.older', null, 'audit events before ' || b.id,
           'are ' || o.events || ' with the digest ' || o.digest || ', recorded were ' || coalesce(b.detail ->> 'events', 'none')
             || ' with ' || coalesce(b.detail ->> 'digest', 'none')
      from began b
     cross join older o
     where (o.events::text, o.digest) is distinct from (b.detail ->> 'events', b.detail ->> 'digest')
       and $1::bigint is not distinct from $1`,
}

/** Where the chain ends. */
export interface TrailEnd {
  events: bigint
  /** 64 hex digits. */
  hash: string
}

/** Reads where the chain ends; null: it has no end, somebody deleted it. */
export async function readTrailEnd(db: Queryable): Promise<TrailEnd | null> {
  const [end] = await rows<TrailEnd>(
    db,
    `select chain_position as events, encode(hash, 'hex') as hash from audit_chain`,
  )
  return end ?? null
}

/** A part of the chain that was compared. */
export interface TrailPart {
  /** Up to which event; the end of the chain, when there are no more. */
  to: bigint
  /** That event's hash; null: there was none. */
  hash: string | null
  /** The first event that does not fit. */
  broken: { id: bigint; chainPosition: bigint } | null
}

/**
 * Compares the events of the chain after one with those before them.
 * @param after the place of an event, which itself is taken as it is; 0: from the beginning.
 * @param max how many.
 */
export async function checkTrail(db: Queryable, after: bigint, max: number): Promise<TrailPart> {
  const [found] = await rows<{
    to: bigint | null
    hash: string | null
    id: bigint | null
    chainPosition: bigint | null
  }>(
    db,
    `with event as (${chained('chain_position between $1 and $1 + $2::integer')})
     select last.chain_position as "to", encode(last.hash, 'hex') as hash, broken.id, broken.chain_position as "chainPosition"
       from (select) one
       left join (select chain_position, hash from event order by chain_position desc limit 1) last on true
       left join (select id, chain_position
                    from event
                   where chain_position > $1 and (${isBroken})
                   order by chain_position
                   limit 1) broken on true`,
    [after, max],
  )
  const { to, hash, id, chainPosition } = found!
  return { to: to ?? after, hash, broken: id === null ? null : { id, chainPosition: chainPosition! } }
}

/** Finds which of some events of the chain do not fit those before them. */
export async function findBroken(db: Queryable, ids: readonly bigint[]): Promise<Set<bigint>> {
  const found = await rows<{ id: bigint }>(
    db,
    `select e.id
       from (select id, chain_position, hash, ${content} as content from audit_event where id = any($1::bigint[])) e
       left join audit_event b on b.chain_position = e.chain_position - 1
      where e.hash is distinct from sha256(case when e.chain_position = 1 then ${noHash} else b.hash end || e.content)`,
    [ids],
  )
  return new Set(found.map(({ id }) => id))
}

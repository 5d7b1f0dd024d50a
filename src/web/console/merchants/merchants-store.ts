import type { MerchantId } from '../../../base/ids.ts'
import { type Queryable, rows } from '../../../db/pool.ts'

/** A merchant as admins see it in the list. */
export interface MerchantRow {
  id: MerchantId
  appid: string
  name: string
  disabledAt: Date | null
  createdAt: Date
  members: number
  /** Of the last 24 hours; one more than `ordersMax` at most. */
  orders: number
  /** Callbacks that were given up in the last 7 days; one more than `exhaustedMax` at most. */
  exhausted: number
  /** When its oldest callback was due that is due now. */
  oldestDueAt: Date | null
}

/** Orders are counted up to here. */
export const ordersMax = 10_000

/** Exhausted callbacks are counted up to here. */
export const exhaustedMax = 1_000

/**
 * Lists merchants, the newest first, each with its figures, which are read by indexes.
 * @param text part of a name or appid; '' for any. @param before only those added before this one.
 */
export function listMerchantRows(
  db: Queryable,
  { text, before, limit }: { text: string; before: bigint | null; limit: number },
): Promise<MerchantRow[]> {
  return rows<MerchantRow>(
    db,
    `select m.id, m.appid, m.name, m.disabled_at as "disabledAt", m.created_at as "createdAt",
            (select count(*)::integer from membership s where s.merchant_id = m.id) as members,
            (select count(*)::integer
               from (select
                       from recharge_order o
                      where o.merchant_id = m.id and o.created_at > now() - interval '1 day'
                      limit ${ordersMax + 1}) d) as orders,
            (select count(*)::integer
               from (select
                       from callback c
                      where c.merchant_id = m.id and c.exhausted_at > now() - interval '7 days'
                      limit ${exhaustedMax + 1}) e) as exhausted,
            (select min(first.due_at)
               from callback_lane l
              cross join lateral (select o.due_at
                                    from callback_outbox o
                                   where o.lane_id = l.id and o.state = 'due'
                                   order by o.due_at
                                   limit 1) first
              where l.merchant_id = m.id and first.due_at <= now()) as "oldestDueAt"
       from merchant m
      where ($1 = '' or strpos(lower(m.name), lower($1)) > 0 or strpos(m.appid, $1) > 0)
        and ($2::bigint is null or m.id < $2)
      order by m.id desc
      limit $3`,
    [text, before, limit],
  )
}

export interface MerchantFacts {
  id: MerchantId
  appid: string
  name: string
  callbackUrl: string | null
  deposits: boolean
  disabledAt: Date | null
  createdAt: Date
  xpub: string
  nextIndex: bigint
}

export async function readMerchantFacts(db: Queryable, appid: string): Promise<MerchantFacts | null> {
  const [found] = await rows<MerchantFacts>(
    db,
    `select m.id, m.appid, m.name, m.callback_url as "callbackUrl", m.deposits, m.disabled_at as "disabledAt",
            m.created_at as "createdAt", c.xpub, c.next_index as "nextIndex"
       from merchant m
       join address_counter c on c.id = m.address_counter_id
      where m.appid = $1`,
    [appid],
  )
  return found ?? null
}

/** What is under way for a merchant. Each is counted up to `underWayMax`, and one more. */
export interface UnderWay {
  /** Not paid in full, with time left, among the newest of each state. */
  openOrders: number
  due: number
  inFlight: number
  held: number
}

export const underWayMax = 10_000

/** Counts what is under way, by indexes: what disabling or enabling the merchant concerns. */
export async function readUnderWay(db: Queryable, merchantId: MerchantId): Promise<UnderWay> {
  const newest = (state: string) =>
    `(select expires_at from recharge_order
       where merchant_id = $1 and ${state}
       order by created_at desc, id desc
       limit ${underWayMax + 1})`
  const callbacks = (state: string) =>
    `(select count(*)::integer
        from (select
                from callback_lane l
               cross join lateral (select from callback_outbox o
                                    where o.lane_id = l.id and o.state = '${state}'
                                    limit ${underWayMax + 1}) c
               where l.merchant_id = $1
               limit ${underWayMax + 1}) c)`
  const [found] = await rows<UnderWay>(
    db,
    `select (select count(*)::integer
               from (${newest('received = 0')} union all ${newest('received > 0 and received < amount')}) o
              where expires_at > now()) as "openOrders",
            ${callbacks('due')} as due, ${callbacks('in_flight')} as "inFlight", ${callbacks('held')} as held`,
    [merchantId],
  )
  return found!
}

/** Finds another merchant of a name. @returns its appid. */
export async function findNamed(db: Queryable, name: string, not: string): Promise<string | null> {
  const [found] = await rows<{ appid: string }>(
    db,
    `select appid from merchant where name = $1 and appid <> $2 order by id limit 1`,
    [name, not],
  )
  return found?.appid ?? null
}

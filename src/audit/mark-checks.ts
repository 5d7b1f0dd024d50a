import type { AuditChecks } from './audit-check.ts'

/**
 * Checks marks: refunds, corrections, transfers settled outside, and withdrawals. What a mark takes is a refund's amount, or that of a
 * correction below 0. An order's marks are its own and those of the transfers that were credited to it.
 */
export const markChecks: AuditChecks = {
  holds: {
    'mark.amount': 'marks that stand take no more from a transfer or an order than it received',
    'mark.target':
      'each mark is about a transfer or order of its merchant, and each withdrawal about the same as what it takes back',
    'mark.settled':
      'a refunded or corrected transfer is credited or settled outside, and is settled outside once at a time',
  },
  sql: `
    with mark as (
      select k.*, t.id as found_transfer, t.amount as arrived, c.id as credit_id, coalesce(k.order_id, c.order_id) as whole_order,
             coalesce(a.merchant_id, o.merchant_id) as owner,
             case when k.kind = 'refund' then k.amount when k.kind = 'correction' then greatest(-k.amount, 0) else 0 end as taken
        from money_mark k
        left join transfer t on t.id = k.transfer_id
        left join deposit_address a on a.id = t.deposit_address_id
        left join credit c on c.transfer_id = k.transfer_id
        left join recharge_order o on o.id = k.order_id
       where $1::bigint is null or k.merchant_id = $1
    ), standing as (
      select * from mark where kind <> 'withdrawal' and not exists (select from money_mark w where w.withdraws = mark.id)
    )
    select 'mark.amount' as check_name, m.appid, 'transfer ' || s.transfer_id as subject,
           'marks take ' || s.taken || ' of ' || s.arrived || ' units' as detail
      from (select merchant_id, transfer_id, sum(taken) as taken, min(arrived) as arrived
              from standing
             where transfer_id is not null
             group by 1, 2) s
      join merchant m on m.id = s.merchant_id
     where s.taken > s.arrived
     union all
    select 'mark.amount', m.appid, 'order ' || o.orderid, 'marks take ' || s.taken || ' of ' || o.received || ' units'
      from (select merchant_id, whole_order, sum(taken) as taken
              from standing
             where whole_order is not null
             group by 1, 2) s
      join recharge_order o on o.id = s.whole_order
      join merchant m on m.id = s.merchant_id
     where s.taken > o.received
     union all
    select 'mark.target', m.appid, 'mark ' || k.id,
           case when k.owner is distinct from k.merchant_id then 'is about something of another merchant'
                else 'takes back a mark about something else' end
      from mark k
      left join merchant m on m.id = k.merchant_id
      left join money_mark w on w.id = k.withdraws
     where k.owner is distinct from k.merchant_id
        or (k.kind = 'withdrawal'
            and ((w.merchant_id, w.transfer_id, w.order_id) is distinct from (k.merchant_id, k.transfer_id, k.order_id)
                 or w.kind = 'withdrawal'))
     union all
    select 'mark.settled', m.appid, 'transfer ' || s.transfer_id,
           case when s.settled > 1 then 'is settled outside ' || s.settled || ' times'
                else 'is marked, but neither credited nor settled outside' end
      from (select merchant_id, transfer_id, count(*) filter (where kind = 'settled_outside') as settled,
                   count(*) filter (where kind <> 'settled_outside' and credit_id is null) as uncredited
              from standing
             where transfer_id is not null
             group by 1, 2) s
      join merchant m on m.id = s.merchant_id
     where s.settled > 1 or (s.uncredited > 0 and s.settled = 0)`,
}

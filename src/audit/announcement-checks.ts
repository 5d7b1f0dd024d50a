import type { AuditChecks } from './audit-check.ts'

/**
 * Compares each credit with the callback that it must, or must not, have caused. What the callback must announce is computed
 * from the credits alone: what the order had received before and after the credit, each rounded down to 1/10000 USDT. Deposits
 * add up by address instead. Its key is computed as well, as in `callbackKey` and `depositKey`.
 */
export const announcementChecks: AuditChecks = {
  holds: {
    'credit.received':
      "each credit's received is the sum of its order's credits up to it, or of its address's deposits",
    'callback.credit': 'each callback is for a credit',
    'callback.missing': 'each credit that leaves 1/10000 USDT or more to announce has its callback',
    'callback.amount': 'each callback announces what its order had received and not yet announced',
    'callback.key': "each callback's key is computed from its transfer",
    'callback.facts': "each callback has its credit's order or none, merchant, received, state and lateness",
  },
  sql: `
    with summed as (
      select id, order_id, deposit_address_id, transfer_id, amount, received, late,
             (sum(amount) over (partition by order_id, deposit_address_id order by id))::bigint as total
        from credit
    ), announced as (
      select c.id as credit_id, b.id as callback_id, b.key, c.received, c.total, b.body_amount,
             c.total / 100 - (c.total - c.amount) / 100 as due_amount, t.txid, t.log_index,
             coalesce(o.merchant_id, a.merchant_id, b.merchant_id) as merchant_id, o.orderid, a.address,
             case when a.id is null then 'cb_' else 'dp_' end || left(encode(sha256(convert_to(
               k.genesis_id || ':' || k.usdt_contract || ':' || t.txid || ':' || t.log_index, 'UTF8')), 'hex'), 32)
               as own_key,
             c.id is not null and b.id is not null
               and (b.order_id, b.merchant_id, b.received, b.late, b.order_state, l.merchant_id)
                   is distinct from
                   (c.order_id, coalesce(o.merchant_id, a.merchant_id), c.total, c.late,
                    case when o.id is null then null
                         when c.total < o.amount then 'underpaid'
                         when c.total = o.amount then 'paid'
                         else 'overpaid' end,
                    coalesce(o.merchant_id, a.merchant_id)) as misstated
        from summed c
        full join callback b on b.credit_id = c.id
        left join transfer t on t.id = c.transfer_id
        left join recharge_order o on o.id = c.order_id
        left join deposit_address a on a.id = c.deposit_address_id
        left join callback_lane l on l.id = b.lane_id
        left join chain_cursor k on true
    ), differing as (
      select *,
             coalesce('transfer ' || txid || ':' || log_index, 'credit ' || credit_id, 'callback ' || key)
               || coalesce(' on order ' || orderid, ' at ' || address, '') as subject
        from announced
       where (credit_id is null or received <> total or misstated or coalesce(body_amount, 0) <> due_amount
              or key <> own_key)
         and ($1::bigint is null or merchant_id = $1 or merchant_id is null)
    )
    select v.check_name, m.appid, differing.subject, v.detail
      from differing
      left join merchant m on m.id = differing.merchant_id
     cross join lateral (values
       ('credit.received', received <> total,
        'its received is ' || received || ' units, the sum of its '
          || case when address is null then 'order''s credits' else 'address''s deposits' end || ' up to it is ' || total),
       ('callback.credit', credit_id is null, 'announces ' || body_amount || ' and has no credit'),
       ('callback.missing', callback_id is null and due_amount > 0,
        'has ' || due_amount || ' (1/10000 USDT) to announce and no callback'),
       ('callback.amount', body_amount <> due_amount,
        key || ' announces ' || body_amount || ' instead of ' || due_amount || ' (1/10000 USDT)'),
       ('callback.key', key <> own_key, 'its callback has the key ' || key || ' instead of ' || own_key),
       ('callback.facts', misstated, key || ' has another order, merchant, received, state or lateness')
     ) v (check_name, differs, detail)
     where v.differs`,
}

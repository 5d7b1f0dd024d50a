import type { AuditChecks } from './audit-check.ts'

/** Compares transfers with credits, waiting transfers and rejections, in both directions, so that surplus and missing rows are found. */
export const transferChecks: AuditChecks = {
  holds: {
    'transfer.settled': 'each transfer either has one credit, waits, is rejected or is settled outside',
    'transfer.waiting':
      'each waiting transfer is recorded, and waits at its own address and with its own merchant',
    'transfer.rejected':
      'each rejection is of a recorded transfer, or of something quarantined that is resolved',
    'credit.transfer': 'each credit is for a recorded transfer',
    'credit.amount': "each credit has its transfer's amount",
    'credit.order':
      "each credit is for an order at its transfer's address, or for the one that it was assigned to",
    'credit.assigned': 'each assigned transfer is credited where it was assigned, to its own merchant',
    'deposit.address':
      "each deposit is at its transfer's address, or at the one that it was assigned to, which belongs to a user",
    'deposit.only': 'no transfer is credited twice, and none is both credited and a deposit',
    'credit.late': "a credit is late when its block's time is past the order's window",
  },
  sql: `
    with ledger as (
      select t.id as transfer_id, c.id as credit_id, t.txid, t.log_index, t.amount as arrived, c.amount as credited,
             w.reason, o.orderid, c.order_id, c.deposit_address_id, coalesce(a.merchant_id, o.merchant_id) as merchant_id,
             t.id is not null and c.id is null and w.transfer_id is null and r.id is null and k.mark_id is null as unsettled,
             c.id is not null and w.transfer_id is not null as settled_twice,
             r.id is not null and (c.id is not null or w.transfer_id is not null) as rejected_too,
             k.mark_id is not null and (c.id is not null or w.transfer_id is not null or r.id is not null) as outside_too,
             w.deposit_address_id is distinct from t.deposit_address_id and w.transfer_id is not null as wrong_address,
             w.merchant_id is distinct from a.merchant_id and w.transfer_id is not null and t.id is not null as wrong_merchant,
             t.id is null as without_transfer,
             c.amount <> t.amount as unequal,
             c.id is not null and c.deposit_address_id is null
               and o.deposit_address_id is distinct from t.deposit_address_id
               and (c.order_id is null or s.order_id is distinct from c.order_id) as misplaced,
             c.deposit_address_id is not null
               and (coalesce(s.deposit_address_id, t.deposit_address_id) is distinct from c.deposit_address_id
                    or u.localusermark = '') as misdeposited,
             s.transfer_id is not null and c.id is not null
               and ((c.order_id, c.deposit_address_id) is distinct from (s.order_id, s.deposit_address_id)
                    or coalesce(o.merchant_id, u.merchant_id) is distinct from a.merchant_id) as misassigned,
             (c.id is not null and num_nonnulls(c.order_id, c.deposit_address_id) <> 1)
               or count(c.id) over (partition by coalesce(t.id, c.transfer_id)) > 1 as doubled,
             c.late <> (t.block_time > o.expires_at) as mistimed
        from transfer t
        full join credit c on c.transfer_id = t.id
        left join waiting_transfer w on w.transfer_id = t.id
        left join rejection r on r.transfer_id = t.id
        left join settled_transfer k on k.transfer_id = t.id
        left join transfer_assignment s on s.transfer_id = t.id
        left join deposit_address a on a.id = t.deposit_address_id
        left join deposit_address u on u.id = c.deposit_address_id
        left join recharge_order o on o.id = c.order_id
    ), differing as (
      select *,
             coalesce('transfer ' || txid || ':' || log_index, 'credit ' || credit_id) as subject
        from ledger
       where (unsettled or settled_twice or rejected_too or outside_too or misassigned or wrong_address or wrong_merchant
              or without_transfer or unequal or misplaced or misdeposited or doubled or mistimed)
         and ($1::bigint is null or merchant_id = $1 or merchant_id is null)
    )
    select v.check_name, m.appid, differing.subject, v.detail
      from differing
      left join merchant m on m.id = differing.merchant_id
     cross join lateral (values
       ('transfer.settled', unsettled, 'neither has a credit nor waits'),
       ('transfer.settled', settled_twice, 'has a credit and also waits: ' || reason),
       ('transfer.settled', rejected_too, 'is rejected, and ' || coalesce('waits: ' || reason, 'has a credit')),
       ('transfer.settled', outside_too, 'is settled outside, and ' || coalesce('waits: ' || reason, 'is credited or rejected')),
       ('transfer.waiting', wrong_address, 'waits at another address than it was paid to'),
       ('transfer.waiting', wrong_merchant and not wrong_address, 'waits in the list of another merchant than was paid'),
       ('credit.transfer', without_transfer, 'of ' || credited || ' units is for no transfer'),
       ('credit.amount', unequal, credited || ' units credited, ' || arrived || ' transferred'),
       ('credit.order', misplaced and not without_transfer,
        coalesce('credited to ' || orderid || ', an order at another address', 'credited to no order')),
       ('credit.assigned', misassigned, 'is credited elsewhere than it was assigned'),
       ('deposit.address', misdeposited and not without_transfer, 'is a deposit at another address, or at nobody''s'),
       ('deposit.only', doubled,
        case when num_nonnulls(order_id, deposit_address_id) = 1 then 'has more than one credit or deposit'
             when order_id is null then 'has a credit that is neither an order''s nor a deposit'
             else 'is credited to an order and a deposit at once' end),
       ('credit.late', mistimed, 'its late flag contradicts its block''s time')
     ) v (check_name, differs, detail)
     where v.differs
     union all
    select 'transfer.waiting', null, 'waiting transfer ' || w.transfer_id, 'waits, but is not recorded'
      from waiting_transfer w
     where not exists (select from transfer t where t.id = w.transfer_id)
     union all
    select 'transfer.rejected', null, 'rejection ' || r.id,
           case when r.transfer_id is not null and t.id is null then 'is of a transfer that is not recorded'
                when q.id is null then 'is of something quarantined that is not there'
                when q.resolved_at is null then 'is of something that is still quarantined'
                else 'is of another transfer than what was quarantined' end
      from rejection r
      left join transfer t on t.id = r.transfer_id
      left join quarantine q on q.id = r.quarantine_id
     where (r.transfer_id is not null and t.id is null)
        or (r.quarantine_id is not null
            and (q.resolved_at is null or q.transfer_id is distinct from r.transfer_id))`,
}

/** Compares orders with the sums of their credits and callbacks. */
export const orderChecks: AuditChecks = {
  holds: {
    'order.received': 'each order has received the sum of its credits',
    'order.announced': 'each order has announced what it received, rounded down to 1/10000 USDT',
    'order.callbacks': "each order's callbacks add up to what it has announced",
    'order.address': "each order is at one of its own user's addresses",
  },
  sql: `
    with differing as (
      select s.*, a.merchant_id is distinct from o.merchant_id or a.localusermark <> o.localusermark as misplaced
        from report.audit_orders s
        join recharge_order o on o.id = s.order_id
        left join deposit_address a on a.id = o.deposit_address_id
       where (s.received_units <> s.credited_units or s.announced <> s.announceable or s.called_back <> s.announced
              or a.merchant_id is distinct from o.merchant_id or a.localusermark <> o.localusermark)
         and ($1::bigint is null or s.merchant_id = $1)
    )
    select v.check_name, differing.appid, 'order ' || differing.orderid as subject, v.detail
      from differing
     cross join lateral (values
       ('order.received', received_units <> credited_units,
        'has received ' || received_units || ' units, its credits are ' || credited_units),
       ('order.announced', announced <> announceable,
        'has announced ' || announced || ' of ' || announceable || ' (1/10000 USDT)'),
       ('order.callbacks', called_back <> announced,
        'has announced ' || announced || ', its callbacks are ' || called_back || ' (1/10000 USDT)'),
       ('order.address', misplaced, 'is at an address of another user')
     ) v (check_name, differs, detail)
     where v.differs`,
}

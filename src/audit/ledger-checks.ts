import type { AuditChecks } from './audit-check.ts'

/** Transfers against credits and what waits: both sides whole, so that a row too many is found like one that is missing. */
export const transferChecks: AuditChecks = {
  checks: {
    'transfer.settled': 'each transfer has one credit or waits, never both, never neither',
    'transfer.waiting': 'what waits is a recorded transfer, at its own address',
    'credit.transfer': 'each credit is for a recorded transfer',
    'credit.amount': "each credit is its transfer's amount",
    'credit.order': "each credit is on an order at its transfer's address",
    'credit.late': "a credit is late when its block's time is past the order's window",
  },
  sql: `
    with ledger as (
      select t.id as transfer_id, c.id as credit_id, t.txid, t.log_index, t.amount as arrived, c.amount as credited,
             w.reason, o.orderid, coalesce(a.merchant_id, o.merchant_id) as merchant_id,
             t.id is not null and c.id is null and w.transfer_id is null as homeless,
             c.id is not null and w.transfer_id is not null as twofold,
             w.deposit_address_id is distinct from t.deposit_address_id and w.transfer_id is not null as strayed,
             t.id is null as unfounded,
             c.amount <> t.amount as unequal,
             c.id is not null and o.deposit_address_id is distinct from t.deposit_address_id as misplaced,
             c.late <> (t.block_time > o.expires_at) as mistimed
        from transfer t
        full join credit c on c.transfer_id = t.id
        left join waiting_transfer w on w.transfer_id = t.id
        left join deposit_address a on a.id = t.deposit_address_id
        left join recharge_order o on o.id = c.order_id
    ), odd as (
      select *,
             coalesce('transfer ' || txid || ':' || log_index, 'credit ' || credit_id) as subject
        from ledger
       where (homeless or twofold or strayed or unfounded or unequal or misplaced or mistimed)
         and ($1::bigint is null or merchant_id = $1 or merchant_id is null)
    )
    select v.check_name, m.appid, odd.subject, v.detail
      from odd
      left join merchant m on m.id = odd.merchant_id
     cross join lateral (values
       ('transfer.settled', homeless, 'has neither a credit nor a row that waits'),
       ('transfer.settled', twofold, 'has a credit and waits, too: ' || reason),
       ('transfer.waiting', strayed, 'waits at another address than it was paid to'),
       ('credit.transfer', unfounded, 'of ' || credited || ' units is for no transfer'),
       ('credit.amount', unequal, credited || ' units credited, ' || arrived || ' transferred'),
       ('credit.order', misplaced and not unfounded,
        coalesce('credited to ' || orderid || ', an order at another address', 'credited to no order')),
       ('credit.late', mistimed, 'late is not what the block''s time says')
     ) v (check_name, differs, detail)
     where v.differs
     union all
    select 'transfer.waiting', null, 'waiting transfer ' || w.transfer_id, 'waits, and is not recorded'
      from waiting_transfer w
     where not exists (select from transfer t where t.id = w.transfer_id)`,
}

/** Orders against the sums of their credits and callbacks. */
export const orderChecks: AuditChecks = {
  checks: {
    'order.received': 'each order has received the sum of its credits',
    'order.announced': 'each order has announced what it received, rounded down to 1/10000 USDT',
    'order.callbacks': 'its callbacks add up to what it has announced',
    'order.address': "each order is at one of its own user's addresses",
  },
  sql: `
    with odd as (
      select s.*, a.merchant_id is distinct from o.merchant_id or a.localusermark <> o.localusermark as misplaced
        from report.audit_orders s
        join recharge_order o on o.id = s.order_id
        left join deposit_address a on a.id = o.deposit_address_id
       where (s.received_units <> s.credited_units or s.announced <> s.announceable or s.called_back <> s.announced
              or a.merchant_id is distinct from o.merchant_id or a.localusermark <> o.localusermark)
         and ($1::bigint is null or s.merchant_id = $1)
    )
    select v.check_name, odd.appid, 'order ' || odd.orderid as subject, v.detail
      from odd
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

import type { AuditChecks } from './audit-check.ts'

/**
 * Checks that every callback owed to a merchant is on its way. Callbacks of a disabled merchant, and those behind a circuit that
 * is open or closing again, may wait for any length of time.
 */
export const deliveryChecks: AuditChecks = {
  holds: {
    'callback.owed':
      "each callback is acknowledged or exhausted, or waits in its merchant's lane for an attempt",
    'callback.overdue':
      'no callback is due for too long, unless a circuit or a disabled merchant holds it back',
  },
  sql: `
    with owed as (
      select b.id, b.key, x.callback_id, coalesce(b.merchant_id, l.merchant_id) as merchant_id, x.state, x.due_at,
             x.leased_until,
             b.id is not null and x.callback_id is null and b.delivered_at is null and b.exhausted_at is null as forgotten,
             x.callback_id is not null and b.exhausted_at is not null as undecided,
             x.callback_id is not null and b.id is null as without_callback,
             x.callback_id is not null and l.merchant_id is distinct from b.merchant_id as misplaced,
             coalesce(x.leased_until, x.due_at) < now() - make_interval(secs => $2)
               and l.opened_at is null and l.slow_start is null
               and not exists (select from merchant d where d.id = l.merchant_id and d.disabled_at is not null) as overdue
        from callback b
        full join callback_outbox x on x.callback_id = b.id
        left join callback_lane l on l.id = x.lane_id
    )
    select v.check_name, m.appid, coalesce('callback ' || owed.key, 'outbox row ' || owed.callback_id) as subject, v.detail
      from owed
      left join merchant m on m.id = owed.merchant_id
     cross join lateral (values
       ('callback.owed', forgotten, 'is neither acknowledged nor exhausted, but no attempt is scheduled'),
       ('callback.owed', undecided, 'is exhausted, but also waits for an attempt'),
       ('callback.owed', without_callback, 'belongs to no callback'),
       ('callback.owed', misplaced and not without_callback, 'waits in another merchant''s lane'),
       ('callback.overdue', overdue,
        case when state = 'in_flight' then 'was leased until ' || leased_until
             else 'has been ' || state || ' since ' || due_at end)
     ) v (check_name, differs, detail)
     where (forgotten or undecided or without_callback or misplaced or overdue) and v.differs
       and ($1::bigint is null or owed.merchant_id = $1 or owed.merchant_id is null)`,
}

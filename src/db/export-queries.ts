/** What can be exported. Each has its own time: when it was paid, created, announced, or done. */
export const exports = ['transfers', 'orders', 'callbacks', 'audit'] as const
export type Export = (typeof exports)[number]

/** The columns in their order, each with its SQL. @param zone of the local times: a parameter of the statement. */
type Columns = (zone: string) => Record<string, string>

const local = (time: string, zone: string) => `to_char(${time} at time zone ${zone}, 'YYYY-MM-DD HH24:MI:SS')`
const utc = (time: string) => `to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`

const transfers: Columns = zone => ({
  paid_local: local('block_time', zone),
  paid_utc: utc('block_time'),
  appid: 'appid',
  localusermark: 'localusermark',
  username: 'username',
  address: 'address',
  from_address: 'from_address',
  amount_usdt: 'amount_usdt::text',
  state: 'state',
  orderid: 'orderid',
  late: 'late',
  credited_local: local('credited_at', zone),
  txid: 'txid',
  log_index: 'log_index',
  block_height: 'block_height',
})

const orders: Columns = zone => ({
  created_local: local('created_at', zone),
  created_utc: utc('created_at'),
  appid: 'appid',
  orderid: 'orderid',
  ordersn: 'ordersn',
  localusermark: 'localusermark',
  username: 'username',
  address: 'address',
  state: 'state',
  expired: 'expired',
  late: 'late',
  amount_usdt: 'amount_usdt::text',
  received_usdt: 'received_usdt::text',
  announced_usdt: 'announced_usdt::text',
  expires_local: local('expires_at', zone),
})

const callbacks: Columns = zone => ({
  announced_local: local('created_at', zone),
  announced_utc: utc('created_at'),
  appid: 'appid',
  orderid: 'orderid',
  amount_usdt: 'amount_usdt::text',
  key: 'key',
  state: 'state',
  attempts: 'attempts',
  last_status: 'last_status',
  acknowledged_local: local('delivered_at', zone),
  exhausted_local: local('exhausted_at', zone),
  origin: 'origin',
  txid: 'txid',
  log_index: 'log_index',
  kind: 'kind',
})

const audit: Columns = zone => ({
  done_local: local('created_at', zone),
  done_utc: utc('created_at'),
  actor: 'actor',
  action: 'action',
  subject: 'subject',
  reason: 'reason',
  address: 'address',
  appid: 'appid',
  detail: 'detail::text',
  audit_event_id: 'audit_event_id',
  chain_position: 'chain_position',
  hash: 'hash',
})

/** The view of schema report that each reads, its time, and the id that makes the order certain. */
const sources: Record<Export, { columns: Columns; view?: string; time: string; id: string }> = {
  transfers: { columns: transfers, time: 'block_time', id: 'transfer_id' },
  orders: { columns: orders, time: 'created_at', id: 'order_id' },
  callbacks: { columns: callbacks, time: 'created_at', id: 'callback_id' },
  audit: { columns: audit, view: 'audit_events', time: 'created_at', id: 'audit_event_id' },
}

/**
 * @returns the names of the columns, and the query that reads them in the order of time. Its parameters: $1, $2: the period; $3:
 * the zone; $4: an appid, or null for all.
 */
export function exportQuery(what: Export): { columns: string[]; query: string } {
  const { view = what, time, id } = sources[what]
  const columns = sources[what].columns('$3')
  const query = `select ${Object.values(columns).join(', ')}
    from report.${view}
   where ${time} >= $1
     and ${time} < $2
     and ($4::text is null or appid = $4)
     -- A cursor's parameter has to stand somewhere with its type.
     and $3::text is not null
   order by ${time}, ${id}`
  return { columns: Object.keys(columns), query }
}

/**
 * @returns the names of an order's columns, and the query that reads orders in the order of their ids. Its parameters: $1: the ids;
 * $2: the zone.
 */
export function exportedOrdersQuery(): { columns: string[]; query: string } {
  const columns = orders('$2')
  const named = Object.entries(columns).map(([name, sql]) => `${sql} as ${name}`)
  return {
    columns: Object.keys(columns),
    // Order by order: for all at once, the planner may read all credits to tell which are late.
    query: `select cells.*
    from unnest($1::bigint[]) with ordinality as wanted (wanted_id, place)
   cross join lateral (
     select ${named.join(', ')}
       from report.orders
      where order_id = wanted_id
     offset 0
   ) cells
   order by place`,
  }
}

/** What can be exported. Each has its own time: when it was paid, created, or announced. */
export const exports = ['transfers', 'orders', 'callbacks'] as const
export type Export = (typeof exports)[number]

/** The columns in their order, each with its SQL. $1, $2: the period; $3: the zone; $4: an appid, or null for all. */
type Columns = Record<string, string>

const local = (time: string) => `to_char(${time} at time zone $3, 'YYYY-MM-DD HH24:MI:SS')`
const utc = (time: string) => `to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`

const transfers: Columns = {
  paid_local: local('block_time'),
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
  credited_local: local('credited_at'),
  txid: 'txid',
  log_index: 'log_index',
  block_height: 'block_height',
}

const orders: Columns = {
  created_local: local('created_at'),
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
  expires_local: local('expires_at'),
}

const callbacks: Columns = {
  announced_local: local('created_at'),
  announced_utc: utc('created_at'),
  appid: 'appid',
  orderid: 'orderid',
  amount_usdt: 'amount_usdt::text',
  key: 'key',
  state: 'state',
  attempts: 'attempts',
  last_status: 'last_status',
  acknowledged_local: local('delivered_at'),
  exhausted_local: local('exhausted_at'),
  origin: 'origin',
  txid: 'txid',
  log_index: 'log_index',
  kind: 'kind',
}

/** The view of schema report that each reads, its time, and the id that makes the order certain. */
const sources: Record<Export, { columns: Columns; time: string; id: string }> = {
  transfers: { columns: transfers, time: 'block_time', id: 'transfer_id' },
  orders: { columns: orders, time: 'created_at', id: 'order_id' },
  callbacks: { columns: callbacks, time: 'created_at', id: 'callback_id' },
}

/** @returns the names of the columns, and the query that reads them in the order of time. */
export function exportQuery(what: Export): { columns: string[]; query: string } {
  const { columns, time, id } = sources[what]
  const query = `select ${Object.values(columns).join(', ')}
    from report.${what}
   where ${time} >= $1
     and ${time} < $2
     and ($4::text is null or appid = $4)
     -- A cursor's parameter has to stand somewhere with its type.
     and $3::text is not null
   order by ${time}, ${id}`
  return { columns: Object.keys(columns), query }
}

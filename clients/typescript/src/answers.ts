// The `data` of every answer, field for field as on the wire. Times are Unix seconds, USDT decimal strings of at most
// six decimals. Fields may be added to the wire, none is ever removed. Nothing else of the package names these fields.

export interface NewAddress {
  msg: string
  username: string
  localusermark: string
  address: string
  uuid: string
  addtime: number
}

export interface UserAddress {
  info: { username: string; localusermark: string }
  data: {
    merchant_id: number
    address: string
    m_localusermark: string
    uuid: string
    addtime: number
    /** Arrived at this user's addresses and belongs to no order yet. */
    unclaimed: string
  }
}

export interface CreatedOrder {
  msg: string
  ordersn: string
  address: string
  expires_at: number
}

export type OrderState = 'pending' | 'underpaid' | 'paid' | 'overpaid'
export type CallbackState = 'due' | 'in_flight' | 'held' | 'delivered' | 'exhausted'

export interface Order {
  ordersn: string
  orderid: string
  username: string
  localusermark: string
  address: string
  amount: string
  /** Credited so far. */
  received: string
  /** Announced by callbacks so far. */
  announced: string
  state: OrderState
  /** Whether its window is over; money that comes later is credited all the same. */
  expired: boolean
  created_at: number
  expires_at: number
}

export interface OrderDetails extends Order {
  transfers: {
    txid: string
    log_index: number
    from: string
    amount: string
    block: number
    block_time: number
    late: boolean
  }[]
  /** On the chain, not final yet: for display only. */
  seen: { txid: string; amount: string; confirmations: number }[]
  callbacks: {
    /** Its Idempotency-Key. */
    id: string
    /** 1/10000 USDT, as the callback's `amount` says it. */
    body_amount: string
    state: CallbackState
    attempts: number
    last_status: number | null
    next_at: number | null
    delivered_at: number | null
  }[]
}

export interface OrderPage {
  orders: Order[]
  /** The `cursor` of the page after; null on the last one. */
  next: string | null
}

export interface ResentCallbacks {
  resent: number
  skipped: number
}

export interface TestedCallback {
  url: string
  delivered: boolean
  http_status: number | null
  duration_ms: number
  /** What your endpoint answered. */
  answer: string | null
  error: string | null
}

export interface Statement {
  days: {
    /** UTC. */
    day: string
    orders: number
    transfers: number
    received: string
    announced: string
    acknowledged: string
  }[]
  unclaimed: { transfers: number; amount: string }
}

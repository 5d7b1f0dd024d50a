// What each endpoint takes besides appid, sign, t and nonce. Values are text; a whole number may stand for its digits.

export interface UserParameters {
  /** A label. */
  username: string
  /** Your own id of the user. */
  localusermark: string
}

export interface NewAddressParameters extends UserParameters {
  /** With it, an address for that order alone. */
  orderid?: string
}

export interface OrderParameters extends UserParameters {
  /** Your own id of the order, unique for you: repeating it with the same values gives the same answer. */
  orderid: string
  /** Decimal USDT, such as '25' or '3.5'. Never a number: floats are not money. */
  amount: string
  /** The user's address, or `auto` (the default): one for this order alone. */
  address?: string
  /** Where its callbacks go, if not to your default URL. */
  notify_url?: string
}

/** One of the two is enough. */
export type OrderName = { orderid: string; ordersn?: never } | { ordersn: string; orderid?: never }

export interface OrderFilter {
  /** Unix seconds, included. */
  from?: number
  /** Unix seconds, not included. */
  to?: number
  state?: 'pending' | 'underpaid' | 'paid' | 'overpaid'
  expired?: 'true' | 'false'
  localusermark?: string
  /** `next` of the page before. */
  cursor?: string
  /** 1 to 500; 100 unless given. */
  limit?: number
}

export interface StatementPeriod {
  /** Unix seconds, included. */
  from: number
  /** Unix seconds, not included; at most 92 days after `from`. */
  to: number
}

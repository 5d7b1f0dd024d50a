// The gateway's OpenAPI document (/docs/json) as types, one for each of its schemas. Written by `npm run client-types`,
// and not to be changed by hand. Fields may be added to it, none is ever removed.

export interface Refusal {
  status: 0
  /** What is wrong, in a sentence, for people. */
  err: string
  /** What is wrong, for programs; never changes. */
  code:
    | 'bad_request'
    | 'missing_parameter'
    | 'bad_parameter'
    | 'bad_amount'
    | 'bad_notify_url'
    | 'bad_return_url'
    | 'notify_url_required'
    | 'address_not_assigned'
    | 'bad_sign'
    | 'stale_timestamp'
    | 'nonce_reused'
    | 'timestamp_required'
    | 'client_not_allowed'
    | 'merchant_disabled'
    | 'order_not_found'
    | 'user_not_found'
    | 'not_found'
    | 'orderid_conflict'
    | 'too_large'
    | 'unsupported_media_type'
    | 'rate_limited'
    | 'not_ready'
    | 'unavailable'
    | 'internal'
}

export interface Callback {
  /** The merchant's id for the order. */
  orderid: string
  /** The merchant's id for the user. */
  localusermark: string
  /** The amount to credit, in 1/10000 USDT. Credit exactly this. */
  amount: string
  /** The merchant's appid. */
  appid: string
  /** Unix seconds of this attempt. */
  t: string
  /** The signature, upper-case hex, under the endpoint name `callback`. */
  sign: string
}

export interface FullCallback {
  /** The merchant's id for the order. */
  orderid: string
  /** The merchant's id for the user. */
  localusermark: string
  /** The amount to credit, in 1/10000 USDT. Credit exactly this. */
  amount: string
  /** The merchant's appid. */
  appid: string
  /** Unix seconds of this attempt. */
  t: string
  /** The gateway's id of the order. */
  ordersn: string
  /** The callback's key: deduplicate by it. */
  callback_id: string
  /** The transaction with the transfer that caused it. */
  txid: string
  /** The transfer's position in the transaction's logs. */
  log_index: string
  /** That transfer's own amount, decimal USDT. */
  amount_usdt: string
  /** What the order had received, that transfer included, decimal USDT. */
  received_usdt: string
  /** The order's amount, decimal USDT. */
  expected_usdt: string
  /** The order's state right after that transfer. */
  state: 'underpaid' | 'paid' | 'overpaid'
  /** Whether the transfer came after the order had expired. */
  late: '0' | '1'
  /** The signature, upper-case hex, under the endpoint name `callback`. */
  sign: string
}

export interface Deposit {
  /** The deposit's key: deduplicate by it. */
  deposit_id: string
  /** The merchant's id for the user of the address. */
  deposit_localusermark: string
  /** The address it was paid to. */
  deposit_address: string
  /** The transaction with the transfer. */
  deposit_txid: string
  /** The transfer's position in the transaction's logs. */
  deposit_log_index: string
  /** The amount to credit, in 1/10000 USDT. Credit exactly this. */
  deposit_amount: string
  /** The transfer's own amount, decimal USDT. */
  deposit_amount_usdt: string
  /** The merchant's appid. */
  appid: string
  /** Unix seconds of this attempt. */
  t: string
  /** The signature, upper-case hex, under the endpoint name `callback`. */
  sign: string
}

export interface OrderSeenEvent {
  /** What it tells. */
  event: 'order.seen'
  /** The event's key: the same at every attempt. */
  event_id: string
  /** The merchant's id for the order. */
  event_orderid: string
  /** The gateway's id of the order. */
  event_ordersn: string
  /** The merchant's id for the user. */
  event_localusermark: string
  /** The address that was, or was to be, paid. */
  event_address: string
  /** The transaction with the transfer. */
  event_txid: string
  /** The transfer's position in the transaction's logs. */
  event_log_index: string
  /** The transfer's amount, decimal USDT. */
  event_amount_usdt: string
  /** The number of the block that has it. */
  event_block: string
  /** The merchant's appid. */
  appid: string
  /** Unix seconds of this attempt. */
  t: string
  /** The signature, upper-case hex, under the endpoint name `callback`. */
  sign: string
}

export interface OrderExpiredEvent {
  /** What it tells. */
  event: 'order.expired'
  /** The event's key: the same at every attempt. */
  event_id: string
  /** The merchant's id for the order. */
  event_orderid: string
  /** The gateway's id of the order. */
  event_ordersn: string
  /** The merchant's id for the user. */
  event_localusermark: string
  /** The address that was, or was to be, paid. */
  event_address: string
  /** The order's state. */
  event_state: 'pending' | 'underpaid'
  /** The order's amount, decimal USDT. */
  event_expected_usdt: string
  /** What it has received, decimal USDT. */
  event_received_usdt: string
  /** When its window ended, Unix seconds. */
  event_expires_at: string
  /** The merchant's appid. */
  appid: string
  /** Unix seconds of this attempt. */
  t: string
  /** The signature, upper-case hex, under the endpoint name `callback`. */
  sign: string
}

export interface DepositUnclaimedEvent {
  /** What it tells. */
  event: 'deposit.unclaimed'
  /** The event's key: the same at every attempt. */
  event_id: string
  /** The merchant's id for the user. */
  event_localusermark: string
  /** The address that was, or was to be, paid. */
  event_address: string
  /** The transaction with the transfer. */
  event_txid: string
  /** The transfer's position in the transaction's logs. */
  event_log_index: string
  /** The transfer's amount, decimal USDT. */
  event_amount_usdt: string
  /** The merchant's appid. */
  appid: string
  /** Unix seconds of this attempt. */
  t: string
  /** The signature, upper-case hex, under the endpoint name `callback`. */
  sign: string
}

export interface NewAddressParameters {
  /** The merchant's appid. */
  appid: string
  /** The signature, hex in either case. */
  sign: string
  /** The user's name: a label. */
  username: string
  /** The merchant's id for the user. */
  localusermark: string
  /** The merchant's id for the order. */
  orderid?: string
  /** Unix seconds, within 300 s of our clock. */
  t?: string
  /** 16 to 64 characters, used once within ten minutes. */
  nonce?: string
}

export interface NewAddressAnswer {
  status: 1
  data: {
    /** Always 操作成功 (success). */
    msg: string
    /** The user's name. */
    username: string
    /** The merchant's id for the user. */
    localusermark: string
    /** The TRON address to pay to. */
    address: string
    /** The gateway's id for the address. */
    uuid: string
    /** Time of assignment, Unix seconds. */
    addtime: number
  }
}

export interface FinduseraddressParameters {
  /** The merchant's appid. */
  appid: string
  /** The signature, hex in either case. */
  sign: string
  /** The user's name: a label. */
  username: string
  /** The merchant's id for the user. */
  localusermark: string
  /** `next` of the previous answer. */
  cursor?: string
  /** Unix seconds, within 300 s of our clock. */
  t?: string
  /** 16 to 64 characters, used once within ten minutes. */
  nonce?: string
}

export interface FinduseraddressAnswer {
  status: 1
  data: {
    info: {
      /** The user's name. */
      username: string
      /** The merchant's id for the user. */
      localusermark: string
    }
    data: {
      /** The gateway's number for the merchant. */
      merchant_id: number
      /** The user's base address; null for a user who has only addresses of orders. */
      address: string | null
      /** The merchant's id for the user. */
      m_localusermark: string
      /** The gateway's id for the address. */
      uuid: string | null
      /** Time of assignment, Unix seconds. */
      addtime: number | null
      /** What arrived and belongs to no order yet, at all addresses, decimal USDT. */
      unclaimed: string
      /** All addresses of the user, newest first, at most 100 in an answer. */
      addresses: {
        /** An address of the user. */
        address: string
        /** The order that alone uses this address; null: it serves any order. */
        orderid: string | null
        /** What arrived there and belongs to no order yet, decimal USDT. */
        unclaimed: string
      }[]
      /** Cursor for further addresses; null after the last. */
      next: string | null
    }
  }
}

export interface TraderRechargeorderParameters {
  /** The merchant's appid. */
  appid: string
  /** The signature, hex in either case. */
  sign: string
  /** The user's name: a label. */
  username: string
  /** The merchant's id for the user. */
  localusermark: string
  /** One of the user's addresses, or `auto` for an address that serves this order alone. */
  address: string
  /** The merchant's id for the order. */
  orderid: string
  /** Decimal USDT above 0: at most 12 digits, and at most 6 decimals after a point. */
  amount: string
  /** URL for the order's callbacks; without it they go to the merchant's default URL. */
  notify_url?: string
  /** Where the order's page leads the payer back to; http or https, at most 1024 characters. Only for merchants who are set to have it; others' is ignored. */
  return_url?: string
  /** Unix seconds, within 300 s of our clock. */
  t?: string
  /** 16 to 64 characters, used once within ten minutes. */
  nonce?: string
}

export interface TraderRechargeorderAnswer {
  status: 1
  data: {
    /** Always 操作成功 (success). */
    msg: string
    /** The gateway's id for the order. */
    ordersn: string
    /** The TRON address to pay to. */
    address: string
    /** Time of expiry, Unix seconds. */
    expires_at: number
    /** The order's page: what to pay, and live what has arrived. Send the payer there. */
    pay_url: string
    /** The QR code of the address, an image that your own page may show. */
    qr_svg_url: string
  }
}

export interface FindorderParameters {
  /** The merchant's appid. */
  appid: string
  /** The signature, hex in either case. */
  sign: string
  /** The merchant's id for the order. */
  orderid?: string
  /** The gateway's id of the order. */
  ordersn?: string
  /** Unix seconds, within 300 s of our clock. */
  t?: string
  /** 16 to 64 characters, used once within ten minutes. */
  nonce?: string
}

export interface FindorderAnswer {
  status: 1
  data: {
    /** The gateway's id for the order. */
    ordersn: string
    /** The merchant's id for the order. */
    orderid: string
    /** The user's name. */
    username: string
    /** The merchant's id for the user. */
    localusermark: string
    /** The TRON address to pay to. */
    address: string
    /** Amount of the order, decimal USDT. */
    amount: string
    /** Credited so far, decimal USDT. */
    received: string
    /** Announced by callbacks so far, decimal USDT. */
    announced: string
    /** Follows from amount and received. */
    state: 'pending' | 'underpaid' | 'paid' | 'overpaid'
    /** Whether expires_at has passed, by block time. */
    expired: boolean
    /** Time of creation, Unix seconds. */
    created_at: number
    /** Time of expiry, Unix seconds. */
    expires_at: number
    /** The order's page: what to pay, and live what has arrived. Send the payer there. */
    pay_url: string
    /** The QR code of the address, an image that your own page may show. */
    qr_svg_url: string
    transfers: {
      /** Transaction id. */
      txid: string
      /** Position in the transaction's logs. */
      log_index: number
      /** Sender. */
      from: string
      /** Amount of the transfer, decimal USDT. */
      amount: string
      /** Height of its block. */
      block: number
      /** Time of its block, Unix seconds. */
      block_time: number
      /** Whether its block is later than expires_at. */
      late: boolean
      /** How it is known that it happened: its sender signed it in a verified block; two hosts showed it; one host's word. Null: recorded by an older version. */
      proof: 'signed' | 'agreed' | 'alone' | null
    }[]
    seen: {
      /** Transaction id. */
      txid: string
      /** Amount of the transfer, decimal USDT. */
      amount: string
      /** Blocks after its own; credited at 19. */
      confirmations: number
    }[]
    callbacks: {
      /** The callback's key. */
      id: string
      /** Amount it announces, in 1/10000 USDT. */
      body_amount: string
      /** Delivery state. */
      state: 'due' | 'in_flight' | 'held' | 'delivered' | 'exhausted'
      /** Attempts made. */
      attempts: number
      /** HTTP status of the last answer. */
      last_status: number | null
      /** Time of the next attempt, Unix seconds. */
      next_at: number | null
      /** Time of acknowledgement, Unix seconds. */
      delivered_at: number | null
    }[]
  }
}

export interface OrdersParameters {
  /** The merchant's appid. */
  appid: string
  /** The signature, hex in either case. */
  sign: string
  /** Created at or after, Unix seconds. */
  from?: string
  /** Created before, Unix seconds. */
  to?: string
  /** Only orders in this state. */
  state?: 'pending' | 'underpaid' | 'paid' | 'overpaid'
  /** true: only orders that have expired by block time; false: only the others. */
  expired?: 'true' | 'false'
  /** The merchant's id for the user. */
  localusermark?: string
  /** `next` of the previous page. */
  cursor?: string
  /** Maximum number of orders, 1 to 500; default 100. */
  limit?: string
  /** Unix seconds, within 300 s of our clock. */
  t?: string
  /** 16 to 64 characters, used once within ten minutes. */
  nonce?: string
}

export interface OrdersAnswer {
  status: 1
  data: {
    orders: {
      /** The gateway's id for the order. */
      ordersn: string
      /** The merchant's id for the order. */
      orderid: string
      /** The user's name. */
      username: string
      /** The merchant's id for the user. */
      localusermark: string
      /** The TRON address to pay to. */
      address: string
      /** Amount of the order, decimal USDT. */
      amount: string
      /** Credited so far, decimal USDT. */
      received: string
      /** Announced by callbacks so far, decimal USDT. */
      announced: string
      /** Follows from amount and received. */
      state: 'pending' | 'underpaid' | 'paid' | 'overpaid'
      /** Whether expires_at has passed, by block time. */
      expired: boolean
      /** Time of creation, Unix seconds. */
      created_at: number
      /** Time of expiry, Unix seconds. */
      expires_at: number
    }[]
    /** Cursor for the next page; null after the last. */
    next: string | null
  }
}

export interface ResendcallbackParameters {
  /** The merchant's appid. */
  appid: string
  /** The signature, hex in either case. */
  sign: string
  /** The merchant's id for the order. */
  orderid?: string
  /** The gateway's id of the order. */
  ordersn?: string
  /** Unix seconds, within 300 s of our clock. */
  t?: string
  /** 16 to 64 characters, used once within ten minutes. */
  nonce?: string
}

export interface ResendcallbackAnswer {
  status: 1
  data: {
    /** Callbacks that are due now. */
    resent: number
    /** Callbacks that are being sent at this moment, and those of the order beyond 1000. */
    skipped: number
  }
}

export interface TestcallbackParameters {
  /** The merchant's appid. */
  appid: string
  /** The signature, hex in either case. */
  sign: string
  /** The URL it is sent to. Without it: the merchant's default URL. */
  notify_url?: string
  /** Unix seconds, within 300 s of our clock. */
  t?: string
  /** 16 to 64 characters, used once within ten minutes. */
  nonce?: string
}

export interface TestcallbackAnswer {
  status: 1
  data: {
    /** The URL it was sent to. */
    url: string
    /** Whether it was acknowledged. */
    delivered: boolean
    /** The answer's status. */
    http_status: number | null
    /** From the DNS query to the last byte of the answer. */
    duration_ms: number
    /** The first 2 KiB of the answer. */
    answer: string | null
    /** Why it was not delivered; null when it was. */
    error: string | null
  }
}

export interface StatementParameters {
  /** The merchant's appid. */
  appid: string
  /** The signature, hex in either case. */
  sign: string
  /** Start of the period, included; Unix seconds. */
  from: string
  /** End of the period, not included; Unix seconds, at most 92 days after from. */
  to: string
  /** Unix seconds, within 300 s of our clock. */
  t?: string
  /** 16 to 64 characters, used once within ten minutes. */
  nonce?: string
}

export interface StatementAnswer {
  status: 1
  data: {
    days: {
      /** A UTC day of the period. */
      day: string
      /** Orders created on this day. */
      orders: number
      /** Transfers to your addresses in blocks of this day. */
      transfers: number
      /** The sum of these transfers, decimal USDT. */
      received: string
      /** Announced by callbacks of orders on this day, by the time of the credit, decimal USDT. */
      announced: string
      /** Acknowledged of orders on this day, whenever it was announced, decimal USDT. */
      acknowledged: string
      /** Deposits announced on this day, by the time of the deposit. */
      deposits: number
      /** The sum of what these announced, decimal USDT. */
      deposits_announced: string
      /** Acknowledged of deposits on this day, whenever it was announced, decimal USDT. */
      deposits_acknowledged: string
      /** Refunds noted on this day, less those withdrawn on it; can be below 0, decimal USDT. */
      refunded: string
      /** Corrections noted on this day, less those withdrawn on it; can be below 0, decimal USDT. */
      corrected: string
    }[]
    unclaimed: {
      /** Transfers that belong to no order yet, as of now, whatever the period. */
      transfers: number
      /** The sum of these transfers, decimal USDT. */
      amount: string
    }
    /** Refunds, corrections and transfers settled outside, as the operator noted them in the period, and what was withdrawn, oldest first, at most 1000. */
    marks: {
      /** The mark. */
      id: number
      /** settled_outside: an unclaimed transfer that was dealt with elsewhere, no order gets it; refund: paid back; correction: counts more or less; withdrawal: takes another mark back. */
      kind: 'settled_outside' | 'refund' | 'correction' | 'withdrawal'
      /** When it was noted, Unix seconds. */
      time: number
      /** Amount. Of a correction below 0 when less counts; of a withdrawal, that of the mark it takes back, decimal USDT. */
      amount: string
      /** The transaction that paid the refund; null: none. */
      txid: string | null
      /** The order that it is about, or whose transfer it is about; null: none. */
      orderid: string | null
      /** The transaction that it is about; null: it is about an order. */
      transfer_txid: string | null
      /** That transfer's position in the transaction's logs. */
      log_index: number | null
      /** Null unless it is a withdrawal. */
      withdraws: number | null
      /** Why, as its author put it. */
      reason: string
    }[]
    /** The period has more marks than these: ask for fewer days. */
    more_marks: boolean
  }
}

export interface TransfersParameters {
  /** The merchant's appid. */
  appid: string
  /** The signature, hex in either case. */
  sign: string
  /** Only transfers of this transaction. In either case, with or without 0x. */
  txid?: string
  /** Only transfers to this address. */
  address?: string
  /** The merchant's id for the user. */
  localusermark?: string
  /** Only transfers in this state. */
  state?: 'credited' | 'deposit' | 'unclaimed' | 'held' | 'rejected' | 'settled_outside'
  /** `next` of the previous page. */
  cursor?: string
  /** Maximum number of transfers, 1 to 500; default 100. */
  limit?: string
  /** Unix seconds, within 300 s of our clock. */
  t?: string
  /** 16 to 64 characters, used once within ten minutes. */
  nonce?: string
}

export interface TransfersAnswer {
  status: 1
  data: {
    transfers: {
      /** Transaction id. */
      txid: string
      /** Position in the transaction's logs. */
      log_index: number
      /** Sender. */
      from: string
      /** The address it was paid to. */
      address: string
      /** The merchant's id for the user of that address. */
      localusermark: string
      /** Amount of the transfer, decimal USDT. */
      amount: string
      /** Height of its block. */
      block: number
      /** Time of its block, Unix seconds. */
      block_time: number
      /** credited: to the order in orderid; deposit: announced without an order, see deposit_id; unclaimed: no order yet, the next one at this address gets it; held: it waits, see reason; rejected: the operator decided not to credit it; settled_outside: the operator dealt with it elsewhere, and no order gets it. */
      state: 'credited' | 'deposit' | 'unclaimed' | 'held' | 'rejected' | 'settled_outside'
      /** Why it is held. confirmation: a second node must show it, because of its amount; proof: it is not proved yet that it happened; quarantine: the operator has to look at it; behind: an earlier transfer to the same address is held. Null in other states. */
      reason: 'confirmation' | 'proof' | 'quarantine' | 'behind' | null
      /** The order it was credited to; null in other states. */
      orderid: string | null
      /** The key of the callback that announces the deposit. Null in other states, and when less than 1/10000 USDT was left to announce. */
      deposit_id: string | null
      /** What that callback announces, in 1/10000 USDT; null in other states. */
      deposit_amount: string | null
    }[]
    /** Transfers on the chain that are not irreversible yet, at most 100, on a first page without state. For display only: a fork may remove them. */
    seen: {
      /** Transaction id. */
      txid: string
      /** The address it was paid to. */
      address: string
      /** The merchant's id for the user of that address. */
      localusermark: string
      /** Amount of the transfer, decimal USDT. */
      amount: string
      /** Blocks after its own; credited at 19. */
      confirmations: number
    }[]
    /** Cursor for the next page; null after the last. A page may be short and have a next. */
    next: string | null
  }
}

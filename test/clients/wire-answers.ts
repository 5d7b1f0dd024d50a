import type {
  CreatedOrder,
  NewAddress,
  OrderDetails,
  OrderPage,
  ResentCallbacks,
  Statement,
  TestedCallback,
  TransferPage,
  UserAddress,
} from '../../clients/typescript/src/answers.ts'

/** One literal `data` per endpoint, as the wire has it; the compiler holds the client's types to them. */
export const wireAnswers = {
  newAddress: {
    msg: '操作成功',
    username: 'a123456',
    localusermark: '1',
    address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
    uuid: '85a6c08e1f2a4b3c8d9e0f3900c51abe',
    addtime: 1662198094,
  } satisfies NewAddress,
  finduseraddress: {
    info: { username: 'a123456', localusermark: '1' },
    data: {
      merchant_id: 7,
      address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
      m_localusermark: '1',
      uuid: '85a6c08e1f2a4b3c8d9e0f3900c51abe',
      addtime: 1662198094,
      unclaimed: '0',
      addresses: [{ address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6', orderid: null, unclaimed: '0' }],
      next: null,
    },
  } satisfies UserAddress,
  TraderRechargeorder: {
    msg: '操作成功',
    ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
    address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
    expires_at: 1662386238,
  } satisfies CreatedOrder,
  findorder: {
    ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
    orderid: 'sh-1',
    username: 'a123456',
    localusermark: '1',
    address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
    amount: '3',
    received: '3.00005',
    announced: '3',
    state: 'overpaid',
    expired: false,
    created_at: 1662299838,
    expires_at: 1662386238,
    transfers: [
      {
        txid: '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00',
        log_index: 0,
        from: 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm',
        amount: '3.00005',
        block: 64072148,
        block_time: 1662299898,
        late: false,
        proof: 'signed',
      },
    ],
    seen: [
      {
        txid: '11f75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00',
        amount: '1',
        confirmations: 2,
      },
    ],
    callbacks: [
      {
        id: 'cb_0123456789abcdef0123456789abcdef',
        body_amount: '30000',
        state: 'delivered',
        attempts: 1,
        last_status: 200,
        next_at: null,
        delivered_at: 1662299960,
      },
    ],
  } satisfies OrderDetails,
  orders: {
    orders: [
      {
        ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
        orderid: 'sh-1',
        username: 'a123456',
        localusermark: '1',
        address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
        amount: '3',
        received: '3.00005',
        announced: '3',
        state: 'overpaid',
        expired: false,
        created_at: 1662299838,
        expires_at: 1662386238,
      },
    ],
    next: null,
  } satisfies OrderPage,
  resendcallback: { resent: 1, skipped: 0 } satisfies ResentCallbacks,
  testcallback: {
    url: 'https://shop.example/cb',
    delivered: true,
    http_status: 200,
    duration_ms: 31,
    answer: 'success',
    error: null,
  } satisfies TestedCallback,
  statement: {
    days: [
      {
        day: '2026-11-22',
        orders: 3,
        transfers: 4,
        received: '12.5',
        announced: '12.5',
        acknowledged: '9.5',
      },
    ],
    unclaimed: { transfers: 1, amount: '0.5' },
  } satisfies Statement,
  transfers: {
    transfers: [
      {
        txid: '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00',
        log_index: 0,
        from: 'TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm',
        address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
        localusermark: '1',
        amount: '3.00005',
        block: 64072148,
        block_time: 1662299898,
        state: 'credited',
        reason: null,
        orderid: 'sh-1',
      },
    ],
    seen: [
      {
        txid: '11f75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00',
        address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
        localusermark: '1',
        amount: '1',
        confirmations: 2,
      },
    ],
    next: null,
  } satisfies TransferPage,
}

export type EndpointName = keyof typeof wireAnswers

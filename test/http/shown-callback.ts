import { legacy, usdt } from '../../src/base/money.ts'
import type { CallbackFacts } from '../../src/callbacks/outbox/callback.ts'

/** The callback that wire-answers.json shows. */
export const shownCallback: CallbackFacts = {
  key: 'cb_0123456789abcdef0123456789abcdef',
  orderid: 'sh-1',
  ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
  localusermark: '1',
  bodyAmount: legacy(30000n),
  txid: '9ff75c01aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00',
  logIndex: 0,
  transferAmount: usdt(3_000_050n),
  received: usdt(3_000_050n),
  orderAmount: usdt(3_000_000n),
  orderState: 'overpaid',
  late: false,
}

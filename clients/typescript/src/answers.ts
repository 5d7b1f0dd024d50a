import type {
  FindorderAnswer,
  FinduseraddressAnswer,
  NewAddressAnswer,
  OrdersAnswer,
  ResendcallbackAnswer,
  StatementAnswer,
  TestcallbackAnswer,
  TraderRechargeorderAnswer,
  TransfersAnswer,
} from './api-types.ts'

// The `data` of every answer by the client's own names; the fields are the document's. Times are Unix seconds, USDT
// decimal strings of at most six decimals.

export type NewAddress = NewAddressAnswer['data']
export type UserAddress = FinduseraddressAnswer['data']
export type CreatedOrder = TraderRechargeorderAnswer['data']
export type OrderDetails = FindorderAnswer['data']
export type OrderPage = OrdersAnswer['data']
export type Order = OrderPage['orders'][number]
export type OrderState = Order['state']
export type CallbackState = OrderDetails['callbacks'][number]['state']
export type ResentCallbacks = ResendcallbackAnswer['data']
export type TestedCallback = TestcallbackAnswer['data']
export type Statement = StatementAnswer['data']
export type TransferPage = TransfersAnswer['data']
export type ListedTransfer = TransferPage['transfers'][number]
export type TransferState = ListedTransfer['state']

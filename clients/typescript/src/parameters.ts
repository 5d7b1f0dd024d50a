import type {
  NewAddressParameters as AllNewAddressParameters,
  FindorderParameters,
  FinduseraddressParameters,
  OrdersParameters,
  StatementParameters,
  TestcallbackParameters,
  TraderRechargeorderParameters,
  TransfersParameters,
} from './api-types.ts'

// What each method takes: the document's parameters, without those that the client adds itself. Values are text.

/** A whole number may stand for its digits. */
type Digits = 'from' | 'to' | 'limit'

/** An endpoint's own parameters. */
type Own<Parameters> = {
  [Name in keyof Parameters as Exclude<Name, 'appid' | 'sign' | 't' | 'nonce'>]:
    | Parameters[Name]
    | (Name extends Digits ? number : never)
}

export type UserParameters = Own<FinduseraddressParameters>

/** With `orderid`, an address for that order alone. */
export type NewAddressParameters = Own<AllNewAddressParameters>

/**
 * `amount` is decimal USDT as text, '25' or '3.5', and never a number: floats are not money. `address` is the user's, or
 * `auto`, one for this order alone, which is the default.
 */
export type OrderParameters = Optional<Own<TraderRechargeorderParameters>, 'address'>

/** One of the two is enough. */
export type OrderName = Only<FindorderParameters, 'orderid'> | Only<FindorderParameters, 'ordersn'>

export type OrderFilter = Own<OrdersParameters>
export type TestCallbackParameters = Own<TestcallbackParameters>
export type StatementPeriod = Own<StatementParameters>
export type TransferFilter = Own<TransfersParameters>

type Optional<Given, Name extends keyof Given> = Omit<Given, Name> & Partial<Pick<Given, Name>>

type Only<Parameters, Name extends keyof Own<Parameters>> = Required<Pick<Own<Parameters>, Name>> & {
  [Other in Exclude<keyof Own<Parameters>, Name>]?: never
}

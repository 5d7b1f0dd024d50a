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
} from './answers.ts'
import type {
  NewAddressParameters,
  OrderFilter,
  OrderName,
  OrderParameters,
  StatementPeriod,
  TestCallbackParameters,
  TransferFilter,
  UserParameters,
} from './parameters.ts'
import { type Desk, request } from './request.ts'
import type { Scheme } from './signature.ts'

export interface GatewaySettings {
  /** The gateway's URL, without /api/merchant. */
  url: string
  appid: string
  /** The merchant key. */
  key: string
  /** Default hmac-sha256. */
  scheme?: Scheme
  /** How long one attempt may take. Default 10 000. */
  timeoutMs?: number
  /**
   * How often a request is made again after no answer, a 429 or a 5xx. Default 2; 0: never. Everything that is retried
   * is safe to repeat; resendCallback and testCallback are never retried.
   */
  retries?: number
}

/** One method an endpoint. Each throws GatewayError, with the gateway's code, when it is refused or not answered. */
export interface GatewayClient {
  /** The user's address, the same one when asked again; with `orderid`, one for that order alone. */
  newAddress(parameters: NewAddressParameters): Promise<NewAddress>
  /**
   * The user's base address, null for a user who has only addresses of orders; all addresses of the user, 100 at a time; and
   * what waits unclaimed there. For further addresses ask on with `cursor: found.data.next` until it is null.
   */
  findUserAddress(parameters: UserParameters): Promise<UserAddress>
  /** Creates an order, once: the same `orderid` with the same values gives the same answer for ever. */
  createOrder(parameters: OrderParameters): Promise<CreatedOrder>
  /** The order with its transfers, sightings and callbacks. */
  findOrder(name: OrderName): Promise<OrderDetails>
  /** A page of orders, newest first; ask on with `cursor: page.next` until it is null. */
  listOrders(filter?: OrderFilter): Promise<OrderPage>
  /** Has an order's callbacks sent again. */
  resendCallback(name: OrderName): Promise<ResentCallbacks>
  /** Has a signed sample sent to your endpoint, and tells what it answered. */
  testCallback(parameters?: TestCallbackParameters): Promise<TestedCallback>
  /** Sums per UTC day. */
  statement(period: StatementPeriod): Promise<Statement>
  /**
   * A page of transfers to your addresses and what has become of each, newest first; ask on with `cursor: page.next` until it
   * is null, also when a page is short or empty.
   */
  listTransfers(filter?: TransferFilter): Promise<TransferPage>
}

/** Opens the merchant API of a gateway. Nothing is sent until a method is called. */
export function openGateway(settings: GatewaySettings): GatewayClient {
  const desk: Desk = {
    url: settings.url.replace(/\/+$/, ''),
    appid: settings.appid,
    key: settings.key,
    scheme: settings.scheme ?? 'hmac-sha256',
    timeoutMs: settings.timeoutMs ?? 10_000,
    retries: settings.retries ?? 2,
  }
  const once: Desk = { ...desk, retries: 0 }
  return {
    newAddress: parameters => request(desk, 'newAddress', parameters),
    findUserAddress: parameters => request(desk, 'finduseraddress', parameters),
    createOrder: parameters => request(desk, 'TraderRechargeorder', { address: 'auto', ...parameters }),
    findOrder: name => request(desk, 'findorder', name),
    listOrders: (filter = {}) => request(desk, 'orders', filter),
    resendCallback: name => request(once, 'resendcallback', name),
    testCallback: (parameters = {}) => request(once, 'testcallback', parameters),
    statement: period => request(desk, 'statement', period),
    listTransfers: (filter = {}) => request(desk, 'transfers', filter),
  }
}

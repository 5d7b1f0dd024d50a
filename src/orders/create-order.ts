import type { AssignAddress } from '../addresses/assign-address.ts'
import { GatewayError } from '../base/errors.ts'
import type { Merchant } from '../merchants/merchant.ts'
import { conflictingFields, type ExistingOrder, type OrderRequest, readAmount } from './order.ts'
import type { OrderBatch } from './order-batch.ts'
import { returnUrlProblem } from './pay-link.ts'

/** The parameters of TraderRechargeorder, after the signature and the schema were checked. */
export interface OrderParameters {
  username: string
  localusermark: string
  /** An address, or `auto`. */
  address: string
  orderid: string
  amount: string
  notify_url?: string
  /** Unknown to merchants who have no return URLs. */
  return_url?: string
}

/** The answer to a create. A repeated create gets the same one. */
export interface CreatedOrder {
  ordersn: string
  address: string
  /** Unix seconds. */
  expiresAt: number
  payToken: Buffer
}

/** What creating an order needs besides the request. */
export interface OrderContext {
  batch: OrderBatch
  assign: AssignAddress
  /** Checks a URL for callbacks. @returns null when it is allowed, else what is wrong with it. */
  checkUrl(url: string): string | null
}

/**
 * Creates an order. The same parameters again get the same answer, whatever has happened to the order since.
 * @throws GatewayError bad_amount, bad_notify_url, bad_return_url, notify_url_required, address_not_assigned, orderid_conflict.
 */
export async function createOrder(
  context: OrderContext,
  merchant: Merchant,
  parameters: OrderParameters,
): Promise<CreatedOrder> {
  const request: OrderRequest = {
    merchantId: merchant.id,
    orderid: parameters.orderid,
    username: parameters.username,
    localusermark: parameters.localusermark,
    address: parameters.address === 'auto' ? null : parameters.address,
    amount: readAmount(parameters.amount),
    notifyUrl: parameters.notify_url || null,
    returnUrl: merchant.returnUrl ? parameters.return_url || null : undefined,
  }
  const refusal =
    notifyUrlRefusal(context, merchant, request.notifyUrl) ?? returnUrlRefusal(request.returnUrl ?? null)
  if (refusal || request.address === null) {
    // An existing order gets its first answer, even if the merchant's settings have changed since. Checking before an
    // address is assigned keeps a repeated `auto` from using up an index.
    const existing = await context.batch.find(request)
    if (existing) return answerExisting(request, existing)
    if (refusal) throw refusal
  }
  const address = request.address ?? (await context.assign(request, merchant.addressCounterId)).address
  const written = await context.batch.write({ ...request, address })
  if (written.kind === 'created') {
    const { ordersn, expiresAt, payToken } = written
    return { address, ordersn, expiresAt, payToken }
  }
  if (written.kind === 'exists') return answerExisting(request, written.order)
  throw new GatewayError(
    'address_not_assigned',
    "address: must be this user's base address, the address of this orderid, or one imported for this user",
  )
}

function answerExisting(request: OrderRequest, existing: ExistingOrder): CreatedOrder {
  const fields = conflictingFields(request, existing)
  if (fields.length > 0) {
    throw new GatewayError('orderid_conflict', `orderid: used before with another ${fields.join(', ')}`)
  }
  const { ordersn, address, expiresAt, payToken } = existing
  return { ordersn, address, expiresAt, payToken }
}

function returnUrlRefusal(returnUrl: string | null): GatewayError | null {
  const problem = returnUrl === null ? null : returnUrlProblem(returnUrl)
  return problem === null ? null : new GatewayError('bad_return_url', `return_url ${problem}`)
}

function notifyUrlRefusal(
  context: OrderContext,
  merchant: Merchant,
  notifyUrl: string | null,
): GatewayError | null {
  if (notifyUrl === null) {
    if (merchant.callbackUrl !== null) return null
    return new GatewayError('notify_url_required', 'notify_url: missing, and the merchant has no default URL')
  }
  const problem = context.checkUrl(notifyUrl)
  return problem === null ? null : new GatewayError('bad_notify_url', `notify_url ${problem}`)
}

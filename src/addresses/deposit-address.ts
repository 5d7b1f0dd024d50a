import type { DepositAddressId, MerchantId } from '../base/ids.ts'
import type { TronAddress } from '../tron/address.ts'

/** A user is (merchant, localusermark); the username is a label. */
export interface User {
  merchantId: MerchantId
  localusermark: string
  username: string
}

/** An address assigned to a user: the base address, one for an orderid alone, or neither (a later import). */
export interface DepositAddress {
  id: DepositAddressId
  address: TronAddress
  localusermark: string
  isBase: boolean
  /** The order it was asked for, which it serves alone. */
  orderid: string | null
  uuid: string
  createdAt: Date
}

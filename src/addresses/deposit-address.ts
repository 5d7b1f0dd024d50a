import type { DepositAddressId, MerchantId } from '../base/ids.ts'
import type { TronAddress } from '../tron/address.ts'

// user: (merchant, localusermark). The username is a label.
// base address: the user's address for any order. Each user has one at most.
// order's own address: assigned for one orderid; serves that order alone.
// imported: an address that was not derived here. It serves any order of its user.
// counter: which index of an account key is derived next; shared by all merchants of that key.
// skipped: derived by `gateway restored` so that it is watched, since it may have been assigned after the backup was made.
//   It belongs to no user until it is adopted: imported for the user who has it.
export interface User {
  merchantId: MerchantId
  localusermark: string
  username: string
}

/** An address that is assigned to a user: the base address, an order's own, or neither (a further import). */
export interface DepositAddress {
  id: DepositAddressId
  address: TronAddress
  localusermark: string
  isBase: boolean
  /** The order whose own address it is. */
  orderid: string | null
  uuid: string
  createdAt: Date
}

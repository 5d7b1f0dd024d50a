import type { MerchantId } from '../base/ids.ts'

/** Asks for a page of a list that is in the order of ids. */
export interface IdPage {
  /** Of one merchant; null: every merchant's, and what belongs to none. */
  merchantId: MerchantId | null
  /** The last id of the page before, in the order of the list; null: the first page. */
  after: bigint | null
  limit: number
}

/** Asks for the first page of every merchant's rows. */
export function firstPage(limit: number): IdPage {
  return { merchantId: null, after: null, limit }
}

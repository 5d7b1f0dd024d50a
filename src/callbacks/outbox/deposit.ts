import { formatUsdt } from '../../base/money.ts'
import type { CallbackFacts } from './callback.ts'
import type { StatedFacts } from './event.ts'

/** What a deposit's callback says. Every attempt says the same. */
export type DepositFacts = Pick<
  CallbackFacts,
  'key' | 'localusermark' | 'bodyAmount' | 'txid' | 'logIndex' | 'transferAmount'
> & {
  /** base58check. */
  address: string
}

/**
 * Writes what a deposit says as it is sent. Of a callback's six fields it has appid, t and sign alone: software that knows
 * callbacks of orders only finds neither an order nor an amount in it.
 */
export function depositFacts(deposit: DepositFacts): StatedFacts {
  const { key } = deposit
  return {
    key,
    fields: {
      deposit_id: key,
      deposit_localusermark: deposit.localusermark,
      deposit_address: deposit.address,
      deposit_txid: deposit.txid,
      deposit_log_index: `${deposit.logIndex}`,
      deposit_amount: `${deposit.bodyAmount}`,
      deposit_amount_usdt: formatUsdt(deposit.transferAmount),
    },
  }
}

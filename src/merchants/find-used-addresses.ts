import { type AccountKey, deriveAddress } from '../tron/account-key.ts'
import type { TronAddress } from '../tron/address.ts'

/** Who can be asked about an address; null: nobody. */
export interface UseSources {
  /** Base units of USDT that it holds. */
  balanceOf: ((address: TronAddress) => Promise<bigint>) | null
  hasReceived: ((address: TronAddress) => Promise<boolean>) | null
  /** Both are the same provider's word: of an address that received nothing it need not be asked what it holds. */
  isOneProvider: boolean
}

/** An address of an account that was used before the gateway had the account. */
export interface UsedAddress {
  index: number
  address: TronAddress
  /** Base units that it holds; null: it holds nothing, or that is not known. */
  balance: bigint | null
}

/** As many as wallets look at for the addresses of an account. */
export const lookedAt = 20

/**
 * Finds the addresses of an account that hold USDT, or ever received any, among the 20 from an index on. All are asked about at once:
 * whoever waits for it does not wait for one answer after another, and the sources keep their pace.
 * @throws whatever a source throws.
 */
export async function findUsedAddresses(
  account: AccountKey,
  fromIndex: number,
  { balanceOf, hasReceived, isOneProvider }: UseSources,
): Promise<UsedAddress[]> {
  const look = async (index: number): Promise<UsedAddress | null> => {
    const address = deriveAddress(account, index)
    const received = (await hasReceived?.(address)) ?? null
    if (received === false && isOneProvider) return null
    const balance = (await balanceOf?.(address)) || null
    return received || balance !== null ? { index, address, balance } : null
  }
  const indexes = Array.from({ length: lookedAt }, (_, i) => fromIndex + i).filter(i => i < 0x80000000)
  return (await Promise.all(indexes.map(look))).filter(found => found !== null)
}

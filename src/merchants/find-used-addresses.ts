import { type AccountKey, deriveAddress } from '../tron/account-key.ts'
import type { TronAddress } from '../tron/address.ts'

/** Who can be asked about an address; null: nobody. */
export interface UseSources {
  /** Base units of USDT that it holds. */
  balanceOf: ((address: TronAddress) => Promise<bigint>) | null
  hasReceived: ((address: TronAddress) => Promise<boolean>) | null
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
 * Finds the addresses of an account that hold USDT, or ever received any, among the 20 from an index on.
 * @throws whatever a source throws.
 */
export async function findUsedAddresses(
  account: AccountKey,
  fromIndex: number,
  { balanceOf, hasReceived }: UseSources,
): Promise<UsedAddress[]> {
  const used: UsedAddress[] = []
  for (let index = fromIndex; index < Math.min(fromIndex + lookedAt, 0x80000000); index++) {
    const address = deriveAddress(account, index)
    const balance = (await balanceOf?.(address)) || null
    if (balance !== null || (await hasReceived?.(address))) used.push({ index, address, balance })
  }
  return used
}

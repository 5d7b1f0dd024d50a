import type { NetworkName } from '../base/config.ts'
import type { TronAddress } from './address.ts'

/** What is fixed about a network. */
export interface Network {
  /** Id of block 0; null when every chain of that kind has its own. */
  genesisId: string | null
  /** The token counted as USDT unless the operator names another; null when there is no usual one. */
  usdtContract: TronAddress | null
  /**
   * How much later than a block's time an order may have been created and still be paid by it. A node's clock and ours
   * differ a little, and less than solidification takes is harmless; where blocks are solid at once it must be 0.
   */
  graceMs: number
}

const mainnetUsdt = 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t' as TronAddress

export const networks: Record<NetworkName, Network> = {
  mainnet: {
    genesisId: '00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc',
    usdtContract: mainnetUsdt,
    graceMs: 30_000,
  },
  nile: {
    genesisId: '0000000000000000d698d4192c56cb6be724a558448e2684802de4d6cd8690dc',
    usdtContract: 'TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf' as TronAddress,
    graceMs: 30_000,
  },
  shasta: {
    genesisId: '0000000000000000de1aa88295e1fcf982742f773e0419c5a9c134c994a9059e',
    usdtContract: 'TG3XXyExBkPp9nzdajDZsozEu4BkaSJozs' as TronAddress,
    graceMs: 30_000,
  },
  private: { genesisId: null, usdtContract: null, graceMs: 0 },
  sandbox: { genesisId: null, usdtContract: mainnetUsdt, graceMs: 0 },
}

import type { NetworkName } from '../base/config.ts'
import type { TronAddress } from './address.ts'

/** The facts about a network. Everything that depends on the network reads them here. */
export interface Network {
  /** Id of block 0; null when every chain of that kind has its own. */
  genesisId: string | null
  /** The token counted as USDT unless the operator names another; null when there is no usual one. */
  usdtContract: TronAddress | null
  /**
   * How much later than a block's time an order may have been created and still be paid by it. A node's clock and ours
   * differ a little, and any value below the time of solidification is harmless. Where blocks are solid at once it must be 0.
   */
  graceMs: number
  /** The time from block to block; null where blocks may come as seldom as they like. */
  slotMs: number | null
  pacing: Pacing
  parking: ParkingPatience
  limits: AlarmLimits
}

/** How long a block has to be missing before the gateway goes on without it, and reads it later. */
export interface ParkingPatience {
  /** While every host gives others and refuses this one. */
  answeredMs: number
  /** While some host does not: it may be away, overloaded or behind, and have this one when it is back. */
  awayMs: number
}

/** How often nodes are asked. Public nodes count calls, nodes of one's own do not. */
export interface Pacing {
  /** The rate to each node unless the operator sets another; never exceeded. */
  requestsPerSecond: number
  /** How long after the newest solidified block the next one cannot be there yet. */
  restMs: number
  /** How soon a block that is not there yet is requested again. */
  pollMs: number
  /** How often the head is read for transfers that are not solidified. */
  seenMs: number
}

/** Values above which an alarm is raised; null: never. */
export interface AlarmLimits {
  /** Age of the last recorded block by our clock. Solidification accounts for about a minute of it. Null: see `stuckMs`. */
  cursorAgeMs: number | null
  /** Where blocks come at any time: how long the cursor may stand still, or be older than a node's newest solidified block. */
  stuckMs: number
  /** Blocks between the cursor and the highest solidified head of any node. */
  blocksBehind: number
  /** Blocks in a row without a USDT transfer, at which what we read is probably wrong. */
  quietBlocks: number | null
}

const mainnetUsdt = 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t' as TronAddress
const publicPacing: Pacing = { requestsPerSecond: 10, restMs: 2_400, pollMs: 600, seenMs: 3_000 }
const ownPacing: Pacing = { requestsPerSecond: 1_000, restMs: 0, pollMs: 100, seenMs: 500 }
const publicLimits = { cursorAgeMs: 180_000, stuckMs: 180_000, blocksBehind: 40 }
const patient: ParkingPatience = { answeredMs: 300_000, awayMs: 1_800_000 }
const ownLimits: AlarmLimits = { ...publicLimits, cursorAgeMs: null, quietBlocks: null }

export const networks: Record<NetworkName, Network> = {
  mainnet: {
    genesisId: '00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc',
    usdtContract: mainnetUsdt,
    graceMs: 30_000,
    slotMs: 3_000,
    pacing: publicPacing,
    parking: patient,
    limits: { ...publicLimits, quietBlocks: 20 },
  },
  nile: {
    genesisId: '0000000000000000d698d4192c56cb6be724a558448e2684802de4d6cd8690dc',
    usdtContract: 'TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf' as TronAddress,
    graceMs: 30_000,
    slotMs: 3_000,
    pacing: publicPacing,
    parking: patient,
    limits: { ...publicLimits, quietBlocks: 9_600 },
  },
  shasta: {
    genesisId: '0000000000000000de1aa88295e1fcf982742f773e0419c5a9c134c994a9059e',
    usdtContract: 'TG3XXyExBkPp9nzdajDZsozEu4BkaSJozs' as TronAddress,
    graceMs: 30_000,
    slotMs: 3_000,
    pacing: publicPacing,
    parking: patient,
    limits: { ...publicLimits, quietBlocks: null },
  },
  private: {
    genesisId: null,
    usdtContract: null,
    graceMs: 0,
    slotMs: null,
    pacing: ownPacing,
    parking: patient,
    limits: ownLimits,
  },
  sandbox: {
    genesisId: null,
    usdtContract: mainnetUsdt,
    graceMs: 0,
    slotMs: null,
    pacing: ownPacing,
    // Whoever tries this out does not wait for long.
    parking: { answeredMs: 30_000, awayMs: 120_000 },
    limits: ownLimits,
  },
}

const explorers: Partial<Record<NetworkName, string>> = {
  mainnet: 'https://tronscan.org/#/transaction/',
  nile: 'https://nile.tronscan.org/#/transaction/',
  shasta: 'https://shasta.tronscan.org/#/transaction/',
}

/** @returns where people look a transaction up; null for a network that has no explorer. */
export function explorerUrl(network: NetworkName, txid: string): string | null {
  const explorer = explorers[network]
  return explorer === undefined ? null : explorer + txid
}

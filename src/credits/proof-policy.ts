import { type UsdtUnits, usdt } from '../base/money.ts'

// proof: how it is known that a transfer happened.
//   signed: its sender signed recipient and amount, in a block that is verified. No node's word is needed.
//   agreed: two hosts showed it in the same block.
//   alone: one host's word.
// host: one source of answers. Several nodes at one host are one, since whoever runs it can make all of them say the same.

export const proofs = ['signed', 'agreed', 'alone'] as const
export type Proof = (typeof proofs)[number]

/** What transfers are credited on. */
export interface ProofRules {
  /** How many hosts are configured. */
  hosts: number
  /** Names the host of a node. */
  hostOf: (node: string) => string
  /** Up to it a transfer is credited by one host's word; 0: none is. */
  aloneAmount: UsdtUnits
  /** Whether an operator set it. With two hosts or more it counts only then. */
  aloneGiven: boolean
}

/** What is known of one version of a transfer. */
export interface Evidence {
  /** A verified block shows it, and its sender signed it. */
  signed: boolean
  /** How many hosts have shown it. */
  hosts: number
  /** How many hosts showed its block without it when they were last asked. */
  denied: number
  amount: UsdtUnits
  /** Since it was first shown. */
  ageMs: number
}

/** 100 USDT: what a shop with a single node risks on that node's word, for each payment. */
export const aloneAmountDefault = usdt(100_000_000n)
/** How long two configured hosts have before one may be believed alone, where an operator allows it. */
export const aloneAfterMs = 60_000

/** The rules where nothing else is said: one host is configured. */
export const oneHost: ProofRules = {
  hosts: 1,
  hostOf: node => node,
  aloneAmount: aloneAmountDefault,
  aloneGiven: false,
}

/**
 * Makes the rules of what is configured.
 * @param given the setting; null: it is not set.
 */
export function proofRules(
  nodes: { readonly hosts: readonly string[]; hostOf(node: string): string },
  given: UsdtUnits | null,
): ProofRules {
  return {
    hosts: nodes.hosts.length,
    hostOf: node => nodes.hostOf(node),
    aloneAmount: given ?? aloneAmountDefault,
    aloneGiven: given !== null,
  }
}

/** Judges whether a transfer may be credited, and on what; `wait`: not yet. Without I/O. */
export function judge(rules: ProofRules, seen: Evidence): Proof | 'wait' {
  if (seen.signed) return 'signed'
  if (seen.hosts >= 2) return 'agreed'
  if (seen.amount > rules.aloneAmount || seen.denied > 0) return 'wait'
  if (rules.hosts <= 1) return 'alone'
  // Two hosts are configured so that nobody has to be believed alone. Only an operator says otherwise.
  return rules.aloneGiven && seen.hosts === 1 && seen.ageMs >= aloneAfterMs ? 'alone' : 'wait'
}

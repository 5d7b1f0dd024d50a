import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Key {
  xpub: string
  address: string
}

/** Addresses and keys published with their answers by wallets and libraries; the keys are public, for tests only. */
export const addressVectors: {
  accounts: (Key & { mnemonic: string; passphrase: string; path: string; hex: string })[]
  /** Keys of depth 4, which ours refuses. */
  changeLevelKeys: (Key & { relativePath: string })[]
  accountKeys: (Key & { relativePath: string; hex: string })[]
  privateKeys: { privateKey: string; address: string; hex: string }[]
  publicKeys: { publicKey: string; address: string; hex: string }[]
  pairs: { base58: string; hex: string }[]
  invalid: { value: string; why: string }[]
} = JSON.parse(readFileSync(join(import.meta.dirname, 'address-vectors.json'), 'utf8'))

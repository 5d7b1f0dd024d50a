import { createHmac, randomBytes } from 'node:crypto'
import { HDKey } from '@scure/bip32'
import type { MerchantCredentials } from './demo-merchant.ts'

/** Every key of the demo. They protect nothing: the chain is a sandbox, and the servers listen on this machine alone. */
export interface DemoKeys {
  /** Of an account whose private key is not kept. */
  xpub: string
  /** 32 bytes, in hex. */
  masterKey: string
  merchant: MerchantCredentials
}

/**
 * Makes the demo's keys from a seed, so that a merchant's developer keeps the same configuration from run to run.
 * @param seed any text; null: random keys.
 */
export function demoKeys(seed: string | null): DemoKeys {
  const root = seed ?? randomBytes(32)
  const bytes = (purpose: string) => createHmac('sha256', root).update(`demo: ${purpose}`).digest()
  return {
    xpub: HDKey.fromMasterSeed(bytes('account')).derive("m/44'/195'/0'").publicExtendedKey,
    masterKey: bytes('master key').toString('hex'),
    merchant: {
      appid: bytes('appid').toString('hex').slice(0, 16),
      key: bytes('merchant key').toString('hex').slice(0, 32),
      webhookSecret: `whsec_${bytes('webhook secret').toString('base64')}`,
    },
  }
}

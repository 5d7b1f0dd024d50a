import { after } from 'node:test'
import { HDKey } from '@scure/bip32'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { MerchantCredentials } from '../../src/demo/demo-merchant.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { setMerchant } from '../../src/merchants/set-merchant.ts'
import type { SignatureScheme } from '../../src/merchants/signature.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { processes, startGateway } from '../../src/start-gateway.ts'
import { cloneDatabase } from '../support/database.ts'
import { sandboxSettings } from '../support/sandbox-settings.ts'
import { type Caller, formBody, signed, stamp } from '../support/signed-request.ts'
import { waitUntil } from '../support/wait-until.ts'

export interface CalledMerchant {
  callbackUrl: string
  scheme?: SignatureScheme
  format?: 'form' | 'json'
  fields?: 'six' | 'full'
}

export interface RunningGateway {
  apiUrl: string
  /** A merchant that the gateway knows by the time this resolves. */
  addMerchant(merchant: CalledMerchant): Promise<MerchantCredentials>
  /** Pays on the sandbox chain. @param amount decimal USDT. */
  pay(to: string, amount: string): Promise<void>
}

/** The whole gateway on a database of its own and a sandbox chain with quick blocks, stopped when the file is done. */
export async function startRunningGateway(): Promise<RunningGateway> {
  const { pool, url } = await cloneDatabase()
  const node = await startSandboxNode({ blockIntervalMs: 60, solidificationDepth: 4 })
  after(() => node.close())
  const masterKey = Buffer.alloc(32, 0x5a)
  const settings = sandboxSettings({ database: url, masterKey, nodes: node.url })
  const log = createLog('silent', 'test')
  const gateway = (await startGateway({ config: readConfig(settings, ...processes), processes, log }))!
  after(() => gateway.stop())
  const apiUrl = gateway.apiUrl!
  await waitUntil('the gateway is ready', async () => (await fetch(`${apiUrl}/readyz`)).ok)
  return {
    apiUrl,
    addMerchant: async ({ callbackUrl, scheme = 'hmac-sha256', format = 'form', fields = 'six' }) => {
      const added = await addMerchant(pool, masterKey, {
        name: 'shop',
        xpub: HDKey.fromMasterSeed(Buffer.alloc(32, 1)).derive("m/44'/195'/0'").publicExtendedKey,
        callbackUrl,
        scheme,
        checkUrl: () => null,
      })
      const changes = { callbackFormat: format, callbackFields: fields }
      await setMerchant(pool, added.appid, changes, { checkUrl: () => null })
      await waitUntil('the gateway knows the merchant', () => knows(apiUrl, { ...added, scheme }))
      return added
    },
    pay: async (to, amount) => {
      const response = await fetch(`${node.url}/sandbox/send`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ to, amount }),
      })
      if (!response.ok) throw new Error(`the sandbox refused: ${await response.text()}`)
    },
  }
}

/** Merchants are held in memory and read again now and then; the courier of this process has the same. */
async function knows(apiUrl: string, caller: Caller): Promise<boolean> {
  const parameters = { username: 'nobody', localusermark: 'nobody', ...stamp() }
  const response = await fetch(`${apiUrl}/api/merchant/finduseraddress`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: formBody(signed(caller, 'finduseraddress', parameters)),
  })
  const { code } = (await response.json()) as { code: string }
  return code === 'user_not_found'
}

import { HDKey } from '@scure/bip32'
import { createLog } from '../../src/base/log.ts'
import type { Pool } from '../../src/db/pool.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import type { Merchant } from '../../src/merchants/merchant.ts'
import { openMerchantDirectory } from '../../src/merchants/merchant-directory.ts'

/** What the bench's databases are sealed under. */
export const benchMasterKey = '11'.repeat(32)

/** A merchant for each port, with keys and secrets as `gateway merchant add` makes them. @returns them by port, opened. */
export async function addBenchMerchants(
  pool: Pool,
  ports: readonly number[],
): Promise<Map<number, Merchant>> {
  const masterKey = Buffer.from(benchMasterKey, 'hex')
  const xpub = HDKey.fromMasterSeed(Buffer.alloc(32, 1)).derive("m/44'/195'/0'").publicExtendedKey
  const appids: string[] = []
  for (const port of ports) {
    const added = await addMerchant(pool, masterKey, {
      name: `merchant at ${port}`,
      xpub,
      callbackUrl: `http://127.0.0.1:${port}/callback`,
      scheme: 'hmac-sha256',
      checkUrl: () => null,
    })
    appids.push(added.appid)
  }
  const directory = await openMerchantDirectory({ pool, masterKey, log: createLog('warn', 'bench') })
  await directory.close()
  return new Map(ports.map((port, i) => [port, directory.byAppid(appids[i]!)!]))
}

import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { createPool } from '../../src/db/pool.ts'
import { createPrisma } from '../../src/db/prisma-client.ts'
import { openReadPool } from '../../src/db/read-pool.ts'
import { merchantEndpoints, openApp } from '../../src/http/app.ts'
import { exampleOf } from '../../src/http/docs/api-example.ts'
import { clientAddressOf } from '../../src/http/limits/client-address.ts'
import { openMerchantDirectory } from '../../src/merchants/merchant-directory.ts'
import { openCheckout } from '../../src/web/checkout/open-checkout.ts'

// A child process of the bench: the API, as it is (`durable`), or with a TraderRechargeorder and a findorder that verify,
// validate and answer, and store and read nothing (`bare`).
const bare = process.argv[2] === 'bare'
const config = readConfig(process.env, 'sealing')
const log = createLog('warn', 'bench')
const pool = createPool(config.databaseUrl)
const merchants = await openMerchantDirectory({ pool, masterKey: config.masterKey, log })
const reads = openReadPool(config.databaseUrl)
const publicUrl = () => 'https://pay.example'
const options = {
  pool,
  reads,
  prisma: createPrisma(reads),
  merchants,
  config,
  publicUrl,
  log,
  history: !bare,
}
const endpoints = merchantEndpoints(options).map(endpoint =>
  bare && ['TraderRechargeorder', 'findorder'].includes(endpoint.name)
    ? { ...endpoint, run: constantly(exampleOf(endpoint.data, true)) }
    : endpoint,
)
const checkout = openCheckout({
  ...{ pool: reads, config, log },
  clientOf: request => clientAddressOf(request),
})
const app = await openApp({ ...options, pages: checkout.register }, endpoints)
const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.send!({ port: Number(new URL(url).port) })

function constantly<T>(answer: T): () => Promise<T> {
  return async () => answer
}

import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { createPool } from '../../src/db/pool.ts'
import { createPrisma } from '../../src/db/prisma-client.ts'
import { merchantEndpoints, openApp } from '../../src/http/app.ts'
import { openMerchantDirectory } from '../../src/merchants/merchant-directory.ts'

// A child process of the bench: the API, as it is (`durable`), or with a TraderRechargeorder that verifies, validates
// and answers, and stores nothing (`bare`).
const bare = process.argv[2] === 'bare'
const config = readConfig<'databaseUrl' | 'masterKey'>(process.env, ['DATABASE_URL', 'MASTER_KEY'])
const log = createLog('warn', 'bench')
const pool = createPool(config.databaseUrl)
const merchants = await openMerchantDirectory({ pool, masterKey: config.masterKey, log })
const options = { pool, prisma: createPrisma(pool), merchants, config, log }
const endpoints = merchantEndpoints(options).map(endpoint =>
  bare && endpoint.name === 'TraderRechargeorder' ? { ...endpoint, run: async () => answer } : endpoint,
)
const answer = {
  msg: '操作成功',
  ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
  address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
  expires_at: 1662386238,
}
const app = await openApp(options, endpoints)
const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.send!({ port: Number(new URL(url).port) })

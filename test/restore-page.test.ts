import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { readCursor } from '../src/blocks/chain-store.ts'
import { creditBlocks } from '../src/credits/credit-blocks.ts'
import type { CreditRules } from '../src/credits/credit-rules.ts'
import type { Pool } from '../src/db/pool.ts'
import { createPrisma } from '../src/db/prisma-client.ts'
import { buildApp } from '../src/http/app.ts'
import { addressToBytes, type TronAddress } from '../src/tron/address.ts'
import type { SolidBlock } from '../src/tron/block.ts'
import { type Answer, form, openApiUnderTest, readAnswer } from './support/api-under-test.ts'
import { makeBlock } from './support/chain-blocks.ts'
import { copyDatabase } from './support/copy-database.ts'
import { gatewayProgram } from './support/gateway-program.ts'
import { formBody, signed } from './support/signed-request.ts'

// docs/backup.md, "After a restore", step by step as an operator and a merchant would do it, with orders at the address
// `auto`. The commands are the real ones; the API is the app we ship, on the restored database.
const api = await openApiUnderTest()
const shop = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const autoOrder = (localusermark: string, orderid: string) => ({
  username: 'u',
  localusermark,
  orderid,
  address: 'auto',
  amount: '5',
})
let tip = { height: 1, hash: '1'.repeat(64) }

test('each step of the page works for orders at the address auto', async () => {
  const kept = await api.ask(shop, 'TraderRechargeorder', autoOrder('1', 'kept'))
  const backup = await copyDatabase(api.url)
  // Lost with the database: three orders, each at an address of its own, and a base address.
  const [first, second, third] = await Promise.all(
    ['first', 'second', 'third'].map(async id =>
      shown(await api.ask(shop, 'TraderRechargeorder', autoOrder('1', id))),
    ),
  )
  const base = shown(await api.ask(shop, 'newAddress', { username: 'u', localusermark: '2' }))
  const blocks = [pay(first!), pay(second!), pay(base)]
  await follow(api.pool, blocks)
  const announced = await announcements(api.pool)
  assert.deepEqual([...announced.values()].sort(), ['first', 'second'])

  // Step 2.
  const gateway = (...args: string[]) => run(backup.url, args)
  assert.match(gateway('restored', '--skip', '20').stdout, /indexes \d+ to \d+ skipped, 20 of them watched/)
  // Step 3: the watcher catches up.
  await follow(backup.pool, blocks)
  assert.deepEqual([...(await announcements(backup.pool)).values()], [])
  // Step 5: the merchant says whom it showed an address since the backup, and for which order.
  const give = (...args: string[]) => gateway('address', 'import', '--appid', shop.appid, ...args)
  for (const [orderid, address] of [
    ['first', first!],
    ['third', third!],
  ] as const) {
    const given = give('--localusermark', '1', '--orderid', orderid, address)
    assert.match(given.stdout, /skipped after a restore: 1/, given.stderr)
    const again = give('--localusermark', '1', '--orderid', orderid, address)
    assert.match(again.stdout, /imported: 0, already watched: 1/, again.stderr)
  }
  assert.match(give('--localusermark', '2', base).stdout, /skipped after a restore: 1/)
  // Step 6: the API starts, and the merchant makes its orders again.
  const ask = await openRestored(backup.pool)
  assert.equal(shown(await ask('TraderRechargeorder', autoOrder('1', 'kept'))), shown(kept))
  assert.equal(shown(await ask('TraderRechargeorder', autoOrder('1', 'first'))), first)
  assert.equal(shown(await ask('TraderRechargeorder', autoOrder('1', 'third'))), third)
  assert.equal(shown(await ask('newAddress', { username: 'u', localusermark: '2' })), base)
  assert.equal((await ask('finduseraddress', { username: 'u', localusermark: '2' })).data.data.unclaimed, '5')
  await follow(backup.pool, [pay()])
  assert.deepEqual(
    [...(await announcements(backup.pool))],
    [...announced].filter(([, id]) => id === 'first'),
  )

  // Step 7: the second order was made again before its address was given back, so it has another one now.
  const other = shown(await ask('TraderRechargeorder', autoOrder('1', 'second')))
  assert.equal([kept.data.address, first, second, third, base].includes(other), false)
  const late = give('--localusermark', '1', '--orderid', 'second', second!)
  assert.equal(late.status, 2)
  assert.match(late.stderr, /order second is there already.*without --orderid.*with another orderid there/)
  assert.match(give('--localusermark', '1', second!).stdout, /skipped after a restore: 1/)
  const substitute = { ...autoOrder('1', 'second again'), address: second! }
  assert.equal(shown(await ask('TraderRechargeorder', substitute)), second)
  await follow(backup.pool, [pay()])
  const secondKey = [...announced].find(([, id]) => id === 'second')![0]
  assert.equal(
    (await announcements(backup.pool)).get(secondKey),
    'second again',
    'the key of the payment stays',
  )

  // Step 8.
  const audit = gateway('audit')
  assert.equal(audit.status, 0, audit.stdout)
})

for (const [what, args, problem] of [
  [
    'an address that was not skipped',
    ['--orderid', 'o', 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'],
    /only an address that was skipped/,
  ],
  [
    'two addresses',
    ['--orderid', 'o', 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6', 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH'],
    /name one address/,
  ],
  [
    'an orderid that is too long',
    ['--orderid', 'o'.repeat(51), 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6'],
    /1 to 50 characters/,
  ],
] as const) {
  test(`--orderid is refused with ${what}`, () => {
    const refused = run(api.url, [
      'address',
      'import',
      '--appid',
      shop.appid,
      '--localusermark',
      '9',
      ...args,
    ])
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, problem)
  })
}

function shown(answer: Answer): TronAddress {
  assert.equal(answer.status, 1, answer.text)
  return answer.data.address
}

function run(url: string, args: string[]) {
  const [node, ...program] = gatewayProgram
  return spawnSync(node, [...program, ...args], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
    encoding: 'utf8',
  })
}

/** The app on the restored database. @returns asks it as the merchant. */
async function openRestored(pool: Pool) {
  const prisma = createPrisma(pool)
  const app = await buildApp({ ...api.options, pool, reads: pool, prisma })
  after(() => app.close())
  return async (endpoint: string, parameters: Record<string, string>) =>
    readAnswer(
      await app.inject({
        method: 'POST',
        url: `/api/merchant/${endpoint}`,
        headers: { 'content-type': form },
        payload: formBody(signed(shop, endpoint, parameters)),
      }),
    )
}

function pay(...addresses: TronAddress[]): SolidBlock {
  const payments = addresses.map(to => [{ toBytes: addressToBytes(to), units: 5_000_000n }])
  const block = makeBlock('restore page', tip, new Date(), payments)
  tip = block
  return block
}

async function follow(pool: Pool, blocks: readonly SolidBlock[]): Promise<void> {
  for (const block of blocks) {
    const cursor = (await readCursor(pool))!
    const rules: CreditRules = { ...cursor, graceMs: 60_000, quorumAmount: null }
    assert.ok(await creditBlocks(pool, rules, cursor, [block]))
  }
}

/** The orders that payments were announced for, by key. */
async function announcements(pool: Pool): Promise<Map<string, string>> {
  const { rows } = await pool.query(
    `select b.key, o.orderid from callback b join recharge_order o on o.id = b.order_id order by b.id`,
  )
  return new Map(rows.map(({ key, orderid }) => [key, orderid]))
}

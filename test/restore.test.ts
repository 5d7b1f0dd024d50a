import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openAssignment } from '../src/addresses/assign-address.ts'
import { importAddresses } from '../src/addresses/import-address.ts'
import { skipAddresses } from '../src/addresses/skip-addresses.ts'
import { auditGateway } from '../src/audit/audit-gateway.ts'
import { readCursor } from '../src/blocks/chain-store.ts'
import { skipEpochs } from '../src/callbacks/leasing/skip-epochs.ts'
import { creditBlocks } from '../src/credits/credit-blocks.ts'
import type { CreditRules } from '../src/credits/credit-rules.ts'
import type { Pool } from '../src/db/pool.ts'
import { addressToBytes, type TronAddress } from '../src/tron/address.ts'
import type { SolidBlock } from '../src/tron/block.ts'
import { openApiUnderTest } from './support/api-under-test.ts'
import { makeBlock, type Payment } from './support/chain-blocks.ts'
import { copyDatabase } from './support/copy-database.ts'
import { addressIdOf, seedOrder } from './support/seed.ts'

// A backup is made (a physical copy); then addresses are handed out, orders made, paid and announced, and the database is
// lost. The backup is restored, `gateway restored` is run, and the watcher reads the same blocks again from its cursor.
const api = await openApiUnderTest()
const shop = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const sister = await api.addMerchant({ callbackUrl: 'https://sister.example/cb' })
const rules: CreditRules = {
  network: 'sandbox',
  genesisId: '0'.repeat(64),
  usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
  graceMs: 60_000,
  quorumAmount: null,
}
let tip: { height: number; hash: string } = { height: 1, hash: '1'.repeat(64) }
const handedOut: string[] = []

async function address(caller = shop, localusermark = 'u', orderid?: string): Promise<TronAddress> {
  const answer = await api.ask(caller, 'newAddress', {
    username: 'a',
    localusermark,
    ...(orderid && { orderid }),
  })
  if (!handedOut.includes(answer.data.address)) handedOut.push(answer.data.address)
  return answer.data.address
}

async function order(
  caller: typeof shop,
  localusermark: string,
  at: string,
  orderid: string,
  amount: string,
) {
  const answer = await api.ask(caller, 'TraderRechargeorder', {
    ...{ username: 'a', localusermark, address: at, orderid, amount },
  })
  assert.equal(answer.status, 1, answer.text)
}

function block(...payments: [TronAddress, bigint][]): SolidBlock {
  const transactions: Payment[][] = payments.map(([to, units]) => [{ toBytes: addressToBytes(to), units }])
  const made = makeBlock('restore', tip, new Date(), transactions)
  tip = made
  return made
}

async function follow(pool: Pool, blocks: readonly SolidBlock[]): Promise<void> {
  for (const one of blocks) assert.ok(await creditBlocks(pool, rules, (await readCursor(pool))!, [one]))
}

/** What was announced, by key. */
async function announcements(pool: Pool): Promise<Map<string, string>> {
  const { rows } = await pool.query(
    `select b.key, o.orderid, b.body_amount::text as amount from callback b join recharge_order o on o.id = b.order_id`,
  )
  return new Map(rows.map(({ key, orderid, amount }) => [key, `${orderid} ${amount}`]))
}

async function isClean(pool: Pool): Promise<void> {
  const { checks } = await auditGateway(pool, { appid: null, dueMaxS: 900 })
  assert.deepEqual(
    checks.filter(({ differences }) => differences > 0),
    [],
  )
}

test('an old backup, restored: nothing announced under a new key, no address handed out twice, all money visible', async () => {
  const base1 = await address(shop, 'u1')
  const base2 = await address(shop, 'u2')
  await order(shop, 'u1', base1, 'before', '10')
  await follow(api.pool, [block([base1, 4_000_050n])])
  const backup = await copyDatabase(api.url)

  // What the backup does not know of: two base addresses, one of the other merchant's; one for an order alone; four orders.
  const base3 = await address(shop, 'u3')
  const own = await address(shop, 'u1', 'own')
  const base4 = await address(sister, 'u4')
  await order(shop, 'u1', own, 'own', '2')
  await order(shop, 'u2', base2, 'second', '5')
  await order(shop, 'u3', base3, 'third', '7')
  await order(sister, 'u4', base4, 'fourth', '8')
  const since = [
    block([base1, 60n], [own, 2_000_000n]),
    block([base2, 5_000_000n], [base3, 7_000_000n]),
    block([base1, 5_999_890n], [base4, 8_000_001n]),
  ]
  await follow(api.pool, since)
  await isClean(api.pool)
  const announced = await announcements(api.pool)
  assert.equal(announced.size, 7)

  await skipAddresses(backup.pool, 10)
  await skipEpochs(backup.pool)
  await follow(backup.pool, since)
  await isClean(backup.pool)

  const again = await announcements(backup.pool)
  assert.deepEqual(
    [...again].map(([key, what]) => [key, announced.get(key) === what]),
    [...again].map(([key]) => [key, true]),
    'each under its old key, for its old order, of its old amount',
  )
  assert.deepEqual([...again.values()].sort(), ['before 1', 'before 40000', 'before 59999'])

  const { rows: unclaimed } = await backup.pool.query(
    `select address, a.kind, w.amount_units, w.reason
       from report.waiting_transfers w
       join report.addresses a using (address)
      order by w.amount_units`,
  )
  assert.deepEqual(unclaimed, [
    { address: own, kind: 'restored', amount_units: 2_000_000n, reason: 'unclaimed' },
    { address: base2, kind: 'base', amount_units: 5_000_000n, reason: 'unclaimed' },
    { address: base3, kind: 'restored', amount_units: 7_000_000n, reason: 'unclaimed' },
    { address: base4, kind: 'restored', amount_units: 8_000_001n, reason: 'unclaimed' },
  ])

  // Users old and new ask for addresses: known ones get what they had, the others what nobody has had.
  const assign = openAssignment(backup.pool)
  const ask = (caller: typeof shop, localusermark: string, orderid: string | null = null) => {
    const { id, addressCounterId } = api.merchants.byAppid(caller.appid)!
    return assign({ merchantId: id, username: 'a', localusermark, orderid }, addressCounterId)
  }
  assert.equal((await ask(shop, 'u1')).address, base1)
  const fresh = await Promise.all([
    ...[ask(shop, 'u3'), ask(shop, 'u1', 'own'), ask(sister, 'u4'), ask(sister, 'u5')],
    ...Array.from({ length: 20 }, (_, i) => ask(shop, `new ${i}`)),
  ])
  assert.deepEqual(
    fresh.filter(({ address }) => handedOut.includes(address)),
    [],
  )
  assert.equal(new Set(fresh.map(({ address }) => address)).size, 24)
})

test('an order that is made again after the restore gets what was paid for it, under the key it was announced by', async () => {
  const known = await address(shop, 'u6')
  const backup = await copyDatabase(api.url)
  const lost = await address(shop, 'u7')
  await order(shop, 'u6', known, 'sixth', '3')
  await order(shop, 'u7', lost, 'seventh', '4')
  const since = [block([known, 3_000_000n], [lost, 4_000_000n])]
  await follow(api.pool, since)
  const ofThese = async (pool: Pool) =>
    [...(await announcements(pool))].filter(([, what]) => /^(sixth|seventh) /.test(what)).sort()
  const announced = await ofThese(api.pool)
  assert.equal(announced.length, 2)

  await skipAddresses(backup.pool, 10)
  await follow(backup.pool, since)
  assert.deepEqual(await ofThese(backup.pool), [])
  // The merchant says whose the lost address is, and makes both orders again.
  await importAddresses(backup.pool, { appid: shop.appid, localusermark: 'u7', addresses: [lost] })
  for (const [orderid, at, amount] of [
    ['sixth', known, 3_000_000n],
    ['seventh', lost, 4_000_000n],
  ] as const) {
    const addressId = await addressIdOf(backup.pool, { address: at })
    await seedOrder(backup.pool, { addressId, orderid, amount })
  }
  await follow(backup.pool, [block()])
  assert.deepEqual(await ofThese(backup.pool), announced)
  await isClean(backup.pool)
})

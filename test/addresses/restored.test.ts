import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { importAddresses } from '../../src/addresses/import-address.ts'
import { skipAddresses } from '../../src/addresses/skip-addresses.ts'
import { takeLease } from '../../src/blocks/watcher-lease-store.ts'
import { listUnclaimedPage } from '../../src/credits/unclaimed-store.ts'
import { firstPage } from '../../src/db/id-page.ts'
import { createPool } from '../../src/db/pool.ts'
import { findRunning } from '../../src/db/running-processes.ts'
import { findMerchantId } from '../../src/merchants/merchant-store.ts'
import { deriveAddress, parseAccountKey } from '../../src/tron/account-key.ts'
import { openApiUnderTest, otherXpub, testXpub } from '../support/api-under-test.ts'
import { seedWaiting } from '../support/seed-transfer.ts'

// `gateway restored --skip N` as an operator runs it, and what it refuses.
const api = await openApiUnderTest()
const shop = await api.addMerchant()
const sister = await api.addMerchant()
const other = await api.addMerchant({ xpub: otherXpub })
const account = parseAccountKey(testXpub)
const gateway = fileURLToPath(new URL('../../src/gateway.ts', import.meta.url))

function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    const options = { env: { PATH: process.env.PATH, DATABASE_URL: api.url } }
    execFile(
      process.execPath,
      ['--import', 'tsx', gateway, 'restored', ...args],
      options,
      (error, stdout, stderr) => resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

async function counters(): Promise<bigint[]> {
  const { rows } = await api.pool.query('select next_index from address_counter order by id')
  return rows.map(row => row.next_index)
}

const epoch = async () =>
  (await api.pool.query(`select nextval('callback_epoch') as epoch`)).rows[0].epoch as bigint

test('every counter advances; what it skips is watched, belongs to no user, and is recorded in the audit log', async () => {
  await api.ask(shop, 'newAddress', { username: 'u', localusermark: '1' })
  const imported = deriveAddress(account, 4)
  await importAddresses(api.pool, { appid: other.appid, localusermark: '9', addresses: [imported] })
  const epochBefore = await epoch()
  const done = await run('--skip', '5')
  assert.equal(done.status, 0, done.stderr)
  assert.match(
    done.stdout,
    new RegExp(`^counter 1 \\(${shop.appid}\\): indexes 2 to 6 skipped, 4 of them watched`, 'm'),
  )
  assert.match(
    done.stdout,
    new RegExp(`^counter \\d+ \\(${other.appid}\\): indexes 1 to 5 skipped, 5 of them`, 'm'),
  )
  assert.deepEqual(await counters(), [7n, 6n])
  const { rows } = await api.pool.query(
    `select d.address, d.index, m.appid, d.localusermark, d.username, d.is_base, d.orderid
       from deposit_address d join merchant m on m.id = d.merchant_id
      where d.counter_id = 1 and d.index > 1 order by d.index`,
  )
  const nobodys = {
    appid: shop.appid,
    localusermark: '',
    username: 'restored',
    is_base: false,
    orderid: null,
  }
  assert.deepEqual(
    rows,
    [2, 3, 5, 6].map(index => ({ address: deriveAddress(account, index), index, ...nobodys })),
  )
  assert.ok(
    (await epoch()) > epochBefore + 999_999_999n,
    'calls in the queue that outlived the restore fit no lease',
  )
  const { rows: events } = await api.pool.query(
    `select action, subject, detail from audit_event where action ~ 'skipped' order by id`,
  )
  assert.deepEqual(events[0], {
    action: 'addresses.skipped',
    subject: 'counter 1',
    detail: { from: 2, to: 6, watched: 4 },
  })
  assert.deepEqual(
    events.map(({ action }) => action),
    ['addresses.skipped', 'addresses.skipped', 'callbacks.epochs_skipped'],
  )
})

test('a skipped address is handed out to nobody, and no request can name whose it is', async () => {
  const next = await api.ask(shop, 'newAddress', { username: 'u', localusermark: '2' })
  assert.equal(next.data.address, deriveAddress(account, 7))
  const nameless = await api.ask(shop, 'finduseraddress', { username: 'restored', localusermark: '' })
  assert.equal(nameless.code, 'bad_parameter')
  const order = await api.ask(shop, 'TraderRechargeorder', {
    ...{ username: 'restored', localusermark: '', orderid: 'o', amount: '1' },
    ...{ address: deriveAddress(account, 2), notify_url: 'https://shop.example/cb' },
  })
  assert.equal(order.code, 'bad_parameter')
})

test('once it is known whose a skipped address is, it is given to that user, and an order can be made there', async () => {
  const [mine, sisters] = [deriveAddress(account, 2), deriveAddress(account, 3)]
  const asked = { appid: shop.appid, localusermark: '2', addresses: [mine] }
  await assert.rejects(
    importAddresses(api.pool, { ...asked, appid: other.appid }),
    /assigned to another user already/,
  )
  assert.deepEqual(await importAddresses(api.pool, asked), { imported: [], known: [], adopted: [mine] })
  assert.deepEqual(await importAddresses(api.pool, asked), { imported: [], known: [mine], adopted: [] })
  await assert.rejects(
    importAddresses(api.pool, { ...asked, localusermark: '3' }),
    /assigned to another user already/,
  )
  const order = { username: 'u', localusermark: '2', amount: '1', notify_url: 'https://shop.example/cb' }
  const made = await api.ask(shop, 'TraderRechargeorder', { ...order, orderid: 'at mine', address: mine })
  assert.equal(made.status, 1, made.text)
  const elsewhere = await api.ask(shop, 'TraderRechargeorder', {
    ...order,
    orderid: 'at 5',
    address: deriveAddress(account, 5),
  })
  assert.equal(elsewhere.code, 'address_not_assigned', "nobody's still")

  const paid = await api.pool.query('select id from deposit_address where address = $1', [sisters])
  await seedWaiting(api.pool, { addressId: paid.rows[0].id, reason: 'unclaimed', amount: 9n, height: 1 })
  const given = await importAddresses(api.pool, {
    appid: sister.appid,
    localusermark: '7',
    addresses: [sisters],
  })
  const unclaimedOf = async (appid: string) => {
    const merchantId = await findMerchantId(api.pool, appid)
    return (await listUnclaimedPage(api.pool, { ...firstPage(9), merchantId })).map(one => one.address)
  }
  assert.deepEqual(await unclaimedOf(sister.appid), [sisters], 'with what was paid there')
  assert.deepEqual(await unclaimedOf(shop.appid), [])
  assert.deepEqual(given.adopted, [sisters], 'of a merchant that shares the counter')
  const base = await api.ask(sister, 'newAddress', { username: 'u', localusermark: '7' })
  assert.equal(base.data.address, sisters, 'the base address of a user who has no other')
})

test('it is refused while a watcher leads, or a process of the gateway is connected', async () => {
  const before = await counters()
  await takeLease(api.pool, 'host 1', 60_000)
  const led = await run('--skip', '5')
  assert.deepEqual([led.status, /watcher host 1 leads/.test(led.stderr)], [2, true])
  await api.pool.query('delete from watcher_lease')
  assert.deepEqual(await findRunning(api.pool), [])
  const pool = createPool(api.url, { name: 'gateway api+courier' })
  const connected = await pool.connect()
  try {
    assert.match((await findRunning(api.pool)).join(), /^gateway api\+courier is connected as process \d+$/)
  } finally {
    connected.release()
    await pool.end()
  }
  assert.deepEqual(await counters(), before)
})

for (const count of ['0', '1000001']) {
  test(`--skip ${count} is refused`, async () => {
    const { status, stderr } = await run(`--skip=${count}`)
    assert.equal(status, 2)
    assert.match(stderr, /--skip: a whole number from 1 to 1000000/)
  })
}

test('more than a counter has left is refused, and none of them moves', async () => {
  const before = await counters()
  await api.pool.query('update address_counter set next_index = 2147483640 where id = 1')
  await assert.rejects(skipAddresses(api.pool, 9), /counter 1 has 8 indexes left, not 9/)
  assert.deepEqual(await counters(), [2_147_483_640n, before[1]])
  const [first] = await skipAddresses(api.pool, 8)
  assert.deepEqual([first?.from, first?.to, first?.watched], [2_147_483_640, 2_147_483_647, 8])
})

test('of two at once one stops, and no index is skipped by both', async () => {
  await api.pool.query('update address_counter set next_index = 100 where id = 1')
  const both = await Promise.allSettled([skipAddresses(api.pool, 300), skipAddresses(api.pool, 300)])
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  const { reason } = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult
  assert.match(reason.message, /counter 1 is at (350|400) instead of 100: another process assigns addresses/)
  assert.equal((await counters())[0], 400n)
})

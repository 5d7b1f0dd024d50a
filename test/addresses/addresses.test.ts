import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openAssignment } from '../../src/addresses/assign-address.ts'
import { importAddresses } from '../../src/addresses/import-address.ts'
import { deriveAddress, parseAccountKey } from '../../src/tron/account-key.ts'
import {
  type ApiUnderTest,
  countRows,
  openApiUnderTest,
  otherXpub,
  testXpub,
} from '../support/api-under-test.ts'
import { addressIdOf, seedAddresses } from '../support/seed.ts'
import { seedWaiting } from '../support/seed-transfer.ts'
import type { Caller } from '../support/signed-request.ts'

const api = await openApiUnderTest()
const merchant = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
const account = parseAccountKey(testXpub)
let users = 0
const newMark = () => `user-${++users}`
const ask = (parameters: Record<string, string>, caller: Caller = merchant) =>
  api.ask(caller, 'newAddress', parameters)

async function counter(xpub = testXpub) {
  const { rows } = await api.pool.query(`select * from address_counter where xpub = $1`, [xpub])
  return rows[0]
}

/** An address of nobody's, that our account will not come to soon. */
const foreignAddress = (index: number) => deriveAddress(parseAccountKey(otherXpub), 1_000_000 + index)

test("a user's base address is derived, answered as the wire has it, and the same when asked again", async () => {
  const user = { username: 'a123456', localusermark: newMark() }
  const next = Number((await counter()).next_index)
  const before = Math.floor(Date.now() / 1000)
  const first = await ask(user)
  assert.deepEqual(Object.keys(first.data), [
    'msg',
    'username',
    'localusermark',
    'address',
    'uuid',
    'addtime',
  ])
  assert.equal(first.data.msg, '操作成功')
  assert.equal(first.data.address, deriveAddress(account, next))
  assert.match(first.data.uuid, /^[0-9a-f]{32}$/)
  assert.ok(before <= first.data.addtime && first.data.addtime <= Date.now() / 1000)
  assert.deepEqual((await ask(user)).data, first.data)
  const renamed = await ask({ ...user, username: 'renamed' })
  assert.equal(renamed.data.address, first.data.address, 'the username is a label')
  assert.equal(Number((await counter()).next_index), next + 1)
})

test('with an orderid it is one for that order alone, the same when asked again', async () => {
  const user = { username: 'u', localusermark: newMark() }
  const base = (await ask(user)).data.address
  const own = (await ask({ ...user, orderid: 'own-1' })).data.address
  assert.notEqual(own, base)
  assert.equal((await ask({ ...user, orderid: 'own-1' })).data.address, own)
  assert.notEqual((await ask({ ...user, orderid: 'own-2' })).data.address, own)
  const other = await ask({ username: 'u', localusermark: newMark(), orderid: 'own-1' })
  assert.deepEqual([other.httpStatus, other.code], [409, 'orderid_conflict'])
  assert.match(other.err!, /another localusermark/)
})

test('once an order is made at another address, there is none to be had for it alone: it could never be paid there', async () => {
  const user = { username: 'u', localusermark: newMark() }
  const address = (await ask(user)).data.address
  const order = { ...user, address, orderid: 'made at base', amount: '1' }
  assert.equal((await api.ask(merchant, 'TraderRechargeorder', order)).status, 1)
  const before = await countRows(api.pool)
  const refused = await ask({ ...user, orderid: 'made at base' })
  assert.deepEqual([refused.httpStatus, refused.code], [409, 'orderid_conflict'])
  assert.match(refused.err!, /at another address$/)
  assert.deepEqual(await countRows(api.pool), before)
  const other = await api.addMerchant()
  assert.equal(
    (await ask({ ...user, orderid: 'made at base' }, other)).status,
    1,
    "another merchant's orderid",
  )
})

test('64 requests at once for one user spend one index', async () => {
  const user = { username: 'u', localusermark: newMark() }
  const before = await countRows(api.pool)
  const answers = await Promise.all(Array.from({ length: 64 }, () => ask(user)))
  assert.equal(new Set(answers.map(answer => answer.text)).size, 1)
  const spent = { ...before, addresses: before.addresses! + 1, indexes: before.indexes! + 1 }
  assert.deepEqual(await countRows(api.pool), spent)
})

test('two processes that assign at once, to the same users and to others, spend each index once', async () => {
  const before = Number((await counter()).next_index)
  const replicas = [openAssignment(api.pool), openAssignment(api.pool)]
  const { id, addressCounterId } = api.merchants.byAppid(merchant.appid)!
  const marks = Array.from({ length: 40 }, newMark)
  const wanted = marks.map(localusermark => ({ merchantId: id, localusermark, username: 'u', orderid: null }))
  const assigned = await Promise.all(
    replicas.map(assign => Promise.all(wanted.map(w => assign(w, addressCounterId)))),
  )
  assert.deepEqual(
    assigned[0]!.map(a => a.address),
    assigned[1]!.map(a => a.address),
  )
  assert.equal(Number((await counter()).next_index), before + 40)
  const { rows } = await api.pool.query(
    `select address, index from deposit_address where localusermark = any($1)`,
    [marks],
  )
  assert.deepEqual(
    rows.map(row => row.index).sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => before + i),
  )
  for (const { address, index } of rows) assert.equal(address, deriveAddress(account, index))
})

test('merchants that share an account share its counter and never an address', async () => {
  const other = await api.addMerchant()
  const user = { username: 'u', localusermark: newMark() }
  const [mine, theirs] = await Promise.all([ask(user), ask(user, other)])
  assert.notEqual(mine.data.address, theirs.data.address)
})

test('an index whose address exists already is skipped, and the counter moves on', async () => {
  const next = Number((await counter()).next_index)
  const taken = [next, next + 1, next + 3].map(index => deriveAddress(account, index))
  await importAddresses(api.pool, { appid: merchant.appid, localusermark: newMark(), addresses: taken })
  const answers = []
  for (let i = 0; i < 2; i++)
    answers.push((await ask({ username: 'u', localusermark: newMark() })).data.address)
  assert.deepEqual(answers, [deriveAddress(account, next + 2), deriveAddress(account, next + 4)])
  assert.equal(Number((await counter()).next_index), next + 5)
})

test('an account with no index left is unavailable, and nothing is written', async () => {
  const full = await api.addMerchant({ xpub: otherXpub })
  await api.pool.query(`update address_counter set next_index = 2147483647 where xpub = $1`, [otherXpub])
  assert.equal((await ask({ username: 'u', localusermark: 'the last' }, full)).status, 1)
  const before = await countRows(api.pool)
  const refused = await ask({ username: 'u', localusermark: 'one too many' }, full)
  assert.deepEqual([refused.httpStatus, refused.code], [503, 'unavailable'])
  assert.deepEqual(await countRows(api.pool), before)
})

test('finduseraddress answers base address and all addresses as the wire has it, or that there is no such user', async () => {
  const user = { username: 'a123456', localusermark: newMark() }
  const none = await api.ask(merchant, 'finduseraddress', user)
  assert.deepEqual([none.httpStatus, none.code], [404, 'user_not_found'])
  const own = (await ask({ ...user, orderid: 'only-an-order' })).data.address
  await waitAt(api, own, 2_000_000n, 'unclaimed')
  const { id } = api.merchants.byAppid(merchant.appid)!
  const info = { username: 'a123456', localusermark: user.localusermark }
  const all = { merchant_id: Number(id), m_localusermark: user.localusermark, unclaimed: '2', next: null }
  const ofOrder = { address: own, orderid: 'only-an-order', unclaimed: '2' }
  const without = await api.ask(merchant, 'finduseraddress', user)
  assert.equal(without.httpStatus, 200)
  assert.deepEqual(without.data, {
    info,
    data: { ...all, address: null, uuid: null, addtime: null, addresses: [ofOrder] },
  })
  const assigned = (await ask(user)).data
  const { address, uuid, addtime } = assigned
  assert.deepEqual((await api.ask(merchant, 'finduseraddress', user)).data, {
    info,
    data: {
      ...all,
      address,
      uuid,
      addtime,
      addresses: [{ address, orderid: null, unclaimed: '0' }, ofOrder],
    },
  })
  const other = await api.addMerchant()
  assert.equal(
    (await api.ask(other, 'finduseraddress', user)).code,
    'user_not_found',
    "another merchant's user",
  )
})

test('of many addresses an answer lists a hundred, the newest first, and a cursor leads to the others', async () => {
  const localusermark = newMark()
  const user = { username: 'u', localusermark }
  const merchantId = api.merchants.byAppid(merchant.appid)!.id
  const base = (await ask(user)).data.address
  const seeded = await seedAddresses(
    api.pool,
    Array.from({ length: 199 }, () => ({ merchantId, localusermark, isBase: false })),
  )
  const find = (cursor?: string, caller = merchant) =>
    api.ask(caller, 'finduseraddress', { ...user, ...(cursor && { cursor }) })
  const first = (await find()).data.data
  const second = (await find(first.next)).data.data
  assert.deepEqual([first.addresses.length, second.addresses.length, second.next], [100, 100, null])
  assert.deepEqual(
    [...first.addresses, ...second.addresses].map(({ address }) => address),
    [base, ...seeded.map(({ address }) => address)].reverse(),
  )
  assert.deepEqual([first.address, second.address], [base, base], 'every answer has the base address')
  const stranger = { username: 'u', localusermark: newMark() }
  const elsewhere = (await ask(stranger)).data.address
  for (const cursor of [elsewhere, 'nothing']) {
    const refused = await find(cursor)
    assert.deepEqual([refused.httpStatus, refused.code], [400, 'bad_parameter'], cursor)
  }
})

test("unclaimed adds up what waits at all of the user's addresses, and nothing else", async () => {
  const user = { username: 'u', localusermark: newMark() }
  const base = (await ask(user)).data.address
  const own = (await ask({ ...user, orderid: 'unclaimed-own' })).data.address
  const stranger = (await ask({ username: 'u', localusermark: newMark() })).data.address
  await waitAt(api, base, 500_000n, 'unclaimed')
  await waitAt(api, own, 1_000_001n, 'unclaimed')
  await waitAt(api, own, 7_000_000n, 'held')
  await waitAt(api, stranger, 9_000_000n, 'unclaimed')
  assert.equal((await api.ask(merchant, 'finduseraddress', user)).data.data.unclaimed, '1.500001')
})

test('imported addresses are watched; the first is the base address of a user who has none', async () => {
  const localusermark = newMark()
  const addresses = [foreignAddress(1), foreignAddress(2)]
  const request = { appid: merchant.appid, localusermark, addresses }
  assert.deepEqual(await importAddresses(api.pool, request), { imported: addresses, known: [], adopted: [] })
  const user = { username: 'u', localusermark }
  assert.equal((await ask(user)).data.address, addresses[0])
  assert.deepEqual(await importAddresses(api.pool, request), { imported: [], known: addresses, adopted: [] })
  const more = { ...request, addresses: [foreignAddress(2), foreignAddress(3), foreignAddress(3)] }
  assert.deepEqual(await importAddresses(api.pool, more), {
    imported: [foreignAddress(3)],
    known: [foreignAddress(2)],
    adopted: [],
  })
  assert.equal((await ask(user)).data.address, addresses[0], 'the base address stays')
  const { rows } = await api.pool.query(
    `select is_base, counter_id, index, encode(address_bytes, 'hex') as bytes from deposit_address where address = $1`,
    [addresses[0]],
  )
  assert.deepEqual([rows[0].is_base, rows[0].counter_id, rows[0].index], [true, null, null])
  assert.equal(rows[0].bytes.length, 40)
  for (const address of addresses) {
    const order = await api.ask(merchant, 'TraderRechargeorder', {
      ...user,
      address,
      orderid: `at ${address}`,
      amount: '1',
    })
    assert.equal(order.status, 1, order.text)
  }
})

test('a user with a base address keeps it when others are imported', async () => {
  const user = { username: 'u', localusermark: newMark() }
  const base = (await ask(user)).data.address
  await importAddresses(api.pool, {
    appid: merchant.appid,
    localusermark: user.localusermark,
    addresses: [foreignAddress(10)],
  })
  assert.equal((await ask(user)).data.address, base)
})

test('an import with anything wrong imports nothing and names every problem', async () => {
  const [owner, localusermark] = [newMark(), newMark()]
  const taken = (await ask({ username: 'u', localusermark: owner })).data.address
  const request = { appid: merchant.appid, localusermark, addresses: [foreignAddress(20), taken] }
  const before = await countRows(api.pool)
  await assert.rejects(importAddresses(api.pool, request), {
    name: 'UsageError',
    message: `${taken} is assigned to another user already`,
  })
  const wrong = [
    foreignAddress(21),
    'T123',
    taken.toLowerCase(),
    '0xa614f803b6fd780986a42c78ec9c7f77e6ded13c',
  ]
  await assert.rejects(
    importAddresses(api.pool, { ...request, addresses: wrong }),
    (error: { problems: string[] }) => {
      assert.equal(error.problems.length, 3)
      return true
    },
  )
  await assert.rejects(importAddresses(api.pool, { ...request, addresses: [] }), /no address was named/)
  await assert.rejects(
    importAddresses(api.pool, { ...request, appid: 'nobody' }),
    /no merchant has the appid "nobody"/,
  )
  await assert.rejects(importAddresses(api.pool, { ...request, localusermark: 'a\nb' }), /localusermark/)
  assert.deepEqual(await countRows(api.pool), before)
})

test('an import is recorded with its actor', async () => {
  const localusermark = newMark()
  await importAddresses(api.pool, {
    appid: merchant.appid,
    localusermark,
    addresses: [foreignAddress(30)],
    actor: 'alice',
  })
  const { rows } = await api.pool.query(
    `select actor, subject, detail from audit_event where action = 'address.imported' order by id desc limit 1`,
  )
  assert.deepEqual(rows[0], {
    actor: 'alice',
    subject: `merchant ${merchant.appid}`,
    detail: { localusermark, addresses: [foreignAddress(30)] },
  })
})

test('an import and newAddress that race for a user leave one base address', async () => {
  for (let round = 0; round < 10; round++) {
    const localusermark = newMark()
    const [asked] = await Promise.all([
      ask({ username: 'u', localusermark }),
      importAddresses(api.pool, {
        appid: merchant.appid,
        localusermark,
        addresses: [foreignAddress(100 + round)],
      }),
    ])
    assert.equal(asked.status, 1, asked.text)
    const { rows } = await api.pool.query(
      `select address from deposit_address where localusermark = $1 and is_base`,
      [localusermark],
    )
    assert.deepEqual(rows, [{ address: asked.data.address }])
  }
})

/** A transfer that arrived and waits. */
async function waitAt(
  { pool }: ApiUnderTest,
  address: string,
  amount: bigint,
  reason: string,
): Promise<void> {
  await seedWaiting(pool, { addressId: await addressIdOf(pool, { address }), amount, reason })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countRows, followChain, json, openApiUnderTest } from '../support/api-under-test.ts'
import { addressIdOf, seedOrder } from '../support/seed.ts'
import { type Caller, signed, stamp } from '../support/signed-request.ts'

// One app, one database; each test has users and orderids of its own.
const api = await openApiUnderTest()
const merchant = await api.addMerchant({ callbackUrl: 'https://shop.example/default' })
let users = 0

async function newUser(caller: Caller = merchant) {
  const user = { username: 'a123456', localusermark: `user-${++users}` }
  const { data } = await api.ask(caller, 'newAddress', user)
  return { ...user, address: data.address as string }
}

const create = (parameters: Record<string, string>, caller = merchant, as: 'form' | 'json' = 'form') =>
  api.ask(caller, 'TraderRechargeorder', parameters, as)

test('an order is created at the base address and answered as the wire has it', async () => {
  const user = await newUser()
  const before = Math.floor(Date.now() / 1000)
  const answer = await create({ ...user, orderid: 'wire-1', amount: '3.0000' })
  assert.equal(answer.httpStatus, 200)
  assert.match(answer.headers['content-type'] as string, /^application\/json/)
  assert.deepEqual(Object.keys(JSON.parse(answer.text)), ['status', 'data'])
  assert.deepEqual(Object.keys(answer.data), [
    ...['msg', 'ordersn', 'address', 'expires_at', 'pay_url', 'qr_svg_url'],
  ])
  assert.equal(answer.status, 1)
  assert.equal(answer.data.msg, '操作成功')
  assert.match(answer.data.ordersn, /^cz-[0-9a-f]{32}$/)
  assert.equal(answer.data.address, user.address)
  const createdAt = answer.data.expires_at - 86_400
  assert.ok(before <= createdAt && createdAt <= Date.now() / 1000)
  const { rows } = await api.pool.query(`select * from recharge_order where orderid = 'wire-1'`)
  assert.equal(rows[0].amount, 3_000_000n)
  assert.equal(rows[0].notify_url, null)
  assert.equal(Math.floor(rows[0].expires_at.getTime() / 1000), answer.data.expires_at)
})

test('JSON and form are the same request, under either scheme', async () => {
  const legacy = await api.addMerchant({ scheme: 'sha1', callbackUrl: 'https://shop.example/default' })
  for (const caller of [merchant, legacy]) {
    const user = await newUser(caller)
    const order = { ...user, orderid: `both-${caller.scheme}`, amount: '5' }
    const byForm = await create(order, caller, 'form')
    const byJson = await create(order, caller, 'json')
    assert.equal(byForm.status, 1)
    assert.deepEqual(byJson.data, byForm.data)
  }
})

test('a JSON safe integer is taken as its decimal text, and signed as that', async () => {
  const user = await newUser()
  const body = signed(merchant, 'TraderRechargeorder', { ...user, orderid: 'integer', amount: '12' })
  const answer = await api.post('TraderRechargeorder', JSON.stringify({ ...body, amount: 12 }), json)
  assert.equal(answer.status, 1, answer.text)
  const { rows } = await api.pool.query(`select amount from recharge_order where orderid = 'integer'`)
  assert.equal(rows[0].amount, 12_000_000n)
})

test('a parameter nobody asked for is signed like the others and ignored', async () => {
  const user = await newUser()
  const answer = await create({ ...user, orderid: 'unknown', amount: '1', Zeta: 'z', _x: '1' })
  assert.equal(answer.status, 1)
  const unsigned = signed(merchant, 'TraderRechargeorder', { ...user, orderid: 'unknown', amount: '1' })
  const refused = await api.post('TraderRechargeorder', JSON.stringify({ ...unsigned, Zeta: 'z' }), json)
  assert.equal(refused.code, 'bad_sign')
})

test('the same create answers the same for ever: written otherwise, paid, expired, its settings changed', async () => {
  const caller = await api.addMerchant({ callbackUrl: 'https://shop.example/default' })
  const user = await newUser(caller)
  const order = { ...user, orderid: 'again', amount: '3' }
  const first = await create(order, caller)
  const sameAgain = async (parameters: Record<string, string>, what: string) =>
    assert.deepEqual((await create(parameters, caller)).data, first.data, what)
  await sameAgain(order, 'as it was')
  await sameAgain({ ...order, amount: '3.000000' }, 'the amount in other words')
  await sameAgain({ ...order, notify_url: '' }, 'an empty notify_url')
  await api.pool.query(
    `update recharge_order set received = 3000000, announced = 30000 where orderid = 'again'`,
  )
  await sameAgain(order, 'paid')
  await api.pool.query(
    `update recharge_order set created_at = created_at - interval '30 days' where orderid = 'again'`,
  )
  await followChain(api.pool, new Date(Date.now() + 30 * 86_400_000))
  await sameAgain(order, 'expired')
  await api.pool.query(`update merchant set callback_url = null where appid = $1`, [caller.appid])
  await api.merchants.refresh()
  await sameAgain(order, 'the default URL is gone')
  const fresh = await create({ ...order, orderid: 'fresh' }, caller)
  assert.equal(fresh.code, 'notify_url_required')
})

test('an orderid used before with other parameters is a conflict that names them, and changes nothing', async () => {
  const user = await newUser()
  const other = await newUser()
  const order = { ...user, orderid: 'conflict', amount: '3', notify_url: 'https://shop.example/a' }
  await create(order)
  const rows = () => api.pool.query(`select * from recharge_order where orderid = 'conflict'`)
  const before = (await rows()).rows
  const conflicts: [Record<string, string>, RegExp][] = [
    [{ amount: '3.000001' }, /another amount$/],
    [{ notify_url: 'https://shop.example/b' }, /another notify_url$/],
    [{ notify_url: '' }, /another notify_url$/],
    [{ username: 'other' }, /another username$/],
    [{ localusermark: other.localusermark, address: other.address }, /another localusermark, address$/],
    [{ address: 'auto' }, /another address$/],
    [{ address: other.address }, /another address$/],
    [{ amount: '1', username: 'x' }, /another username, amount$/],
  ]
  for (const [change, sentence] of conflicts) {
    const answer = await create({ ...order, ...change })
    assert.equal(answer.httpStatus, 409, JSON.stringify(change))
    assert.equal(answer.code, 'orderid_conflict')
    assert.match(answer.err!, sentence)
  }
  assert.deepEqual((await rows()).rows, before)
})

test("another merchant's orderid is another order", async () => {
  const caller = await api.addMerchant({ callbackUrl: 'https://shop.example/default' })
  const mine = await create({ ...(await newUser()), orderid: 'shared', amount: '1' })
  const theirs = await create({ ...(await newUser(caller)), orderid: 'shared', amount: '2' }, caller)
  assert.equal(mine.status, 1)
  assert.equal(theirs.status, 1)
  assert.notEqual(mine.data.ordersn, theirs.data.ordersn)
})

test('64 equal requests at once make one order and are answered alike', async () => {
  const user = await newUser()
  const order = { ...user, orderid: 'storm', amount: '7' }
  const answers = await Promise.all(Array.from({ length: 64 }, () => create(order)))
  assert.deepEqual(new Set(answers.map(answer => answer.text)).size, 1)
  assert.equal(answers[0]!.status, 1)
  const { rowCount } = await api.pool.query(`select from recharge_order where orderid = 'storm'`)
  assert.equal(rowCount, 1)
})

test('64 requests at once with one orderid and different amounts: one is the order, the others conflict', async () => {
  const user = await newUser()
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, i) => create({ ...user, orderid: 'race', amount: String(i + 1) })),
  )
  const created = answers.filter(answer => answer.httpStatus === 200)
  assert.equal(created.length, 1)
  assert.ok(answers.every(answer => answer.httpStatus === 200 || answer.code === 'orderid_conflict'))
  const { rows } = await api.pool.query(`select ordersn, amount from recharge_order where orderid = 'race'`)
  assert.equal(rows.length, 1)
  assert.equal(rows[0].ordersn, created[0]!.data.ordersn)
})

test('auto assigns an address that serves this order alone, and means that address ever after', async () => {
  const user = await newUser()
  const { address: base, ...nameless } = user
  const order = { ...nameless, orderid: 'auto-1', amount: '3' }
  const first = await create({ ...order, address: 'auto' })
  assert.equal(first.status, 1, first.text)
  assert.notEqual(first.data.address, base)
  const before = await countRows(api.pool)
  assert.deepEqual((await create({ ...order, address: 'auto' })).data, first.data)
  assert.deepEqual((await create({ ...order, address: first.data.address })).data, first.data)
  const asked = await api.ask(merchant, 'newAddress', { ...nameless, orderid: 'auto-1' })
  assert.equal(asked.data.address, first.data.address)
  assert.equal((await create({ ...order, address: base })).code, 'orderid_conflict')
  assert.deepEqual(await countRows(api.pool), before)
  const elsewhere = await create({ ...order, orderid: 'auto-other', address: first.data.address })
  assert.equal(elsewhere.code, 'address_not_assigned')
})

test('an address asked for with the orderid before is what auto then means', async () => {
  const { address: _, ...user } = await newUser()
  const asked = await api.ask(merchant, 'newAddress', { ...user, orderid: 'asked-first' })
  const answer = await create({ ...user, orderid: 'asked-first', amount: '1', address: 'auto' })
  assert.equal(answer.data.address, asked.data.address)
})

test('auto requests that race spend one index, on one orderid as on one user', async () => {
  const { address: _, ...user } = await newUser()
  const before = await countRows(api.pool)
  const orderids = Array.from({ length: 8 }, (_, i) => `auto-race-${i}`)
  const answers = await Promise.all(
    orderids.flatMap(orderid =>
      Array.from({ length: 64 }, () => create({ ...user, orderid, amount: '2', address: 'auto' })),
    ),
  )
  assert.ok(answers.every(answer => answer.httpStatus === 200))
  assert.equal(new Set(answers.map(answer => answer.text)).size, 8)
  const spent = await countRows(api.pool)
  assert.deepEqual(spent, {
    ...before,
    orders: before.orders! + 8,
    addresses: before.addresses! + 8,
    indexes: before.indexes! + 8,
  })
})

test("an address is the user's base one, asked for with this orderid, or imported; any other is refused", async () => {
  const user = await newUser()
  const other = await newUser()
  const own = (await api.ask(merchant, 'newAddress', { ...user, orderid: 'own' })).data.address
  const before = await countRows(api.pool)
  const foreign = await api.addMerchant({ callbackUrl: 'https://shop.example/default' })
  const theirs = await newUser(foreign)
  for (const address of [
    other.address,
    theirs.address,
    own,
    'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
    user.address.toLowerCase(),
    'AUTO',
    'x',
  ]) {
    const answer = await create({ ...user, address, orderid: 'not-mine', amount: '1' })
    assert.equal(answer.code, 'address_not_assigned', address)
    assert.equal(answer.httpStatus, 400)
  }
  assert.equal((await countRows(api.pool)).orders, before.orders)
  assert.equal((await create({ ...user, address: own, orderid: 'own', amount: '1' })).status, 1)
})

test('a notify_url that may never be called is refused, and without any there is no order', async () => {
  const caller = await api.addMerchant()
  const user = await newUser(caller)
  const order = { ...user, orderid: 'notify', amount: '1' }
  for (const notify_url of [
    'http://shop.example/cb',
    'https://127.0.0.1/cb',
    'https://[::1]/',
    'ftp://x',
    'nonsense',
  ]) {
    const answer = await create({ ...order, notify_url }, caller)
    assert.equal(answer.code, 'bad_notify_url', notify_url)
    assert.match(answer.err!, /^notify_url must/)
  }
  assert.equal((await create(order, caller)).code, 'notify_url_required')
  assert.equal((await create({ ...order, notify_url: '' }, caller)).code, 'notify_url_required')
  assert.equal(
    (await create({ ...order, notify_url: 'https://shop.example/cb?a=1&b=two words' }, caller)).status,
    1,
  )
})

test('amounts that are none are refused with a sentence, whatever their spelling', async () => {
  const user = await newUser()
  for (const amount of ['0', '-1', '1.0000001', '1e3', 'NaN', '1000000000000', '', ' 1', '1\u0000', '９']) {
    const answer = await create({ ...user, orderid: 'no-amount', amount })
    assert.equal(answer.httpStatus, 400, amount)
    assert.equal(answer.code, 'bad_amount', amount)
  }
  const { text } = await create({ ...user, orderid: 'no-amount', amount: '1.0000001' })
  const wire = { status: 0, err: 'amount: at most 6 decimals, got "1.0000001"', code: 'bad_amount' }
  assert.deepEqual(JSON.parse(text), wire)
})

test('parameters that are missing, too long or hold control characters are named', async () => {
  const user = await newUser()
  const order: Record<string, string> = { ...user, orderid: 'fields', amount: '1' }
  for (const name of ['username', 'localusermark', 'address', 'orderid', 'amount']) {
    const { [name]: _, ...rest } = order
    const answer = await create(rest)
    assert.equal(answer.code, 'missing_parameter', name)
    assert.equal(answer.err, `${name}: missing`)
  }
  const bad: [string, string][] = [
    ['username', ''],
    ['username', 'u'.repeat(65)],
    ['username', 'a\nb'],
    ['username', 'a\u0000b'],
    ['username', 'a\u0085b'],
    ['localusermark', ''],
    ['localusermark', '😀'.repeat(65)],
    ['localusermark', '1\t'],
    ['orderid', ''],
    ['orderid', 'o'.repeat(51)],
    ['orderid', 'o\u007f'],
    ['address', ''],
    ['address', 'T'.repeat(65)],
    ['notify_url', `https://shop.example/${'x'.repeat(512)}`],
    ['notify_url', 'https://shop.example/\n'],
    ['nobody_asked', 'a\u001fb'],
  ]
  for (const [name, value] of bad) {
    const answer = await create({ ...order, [name]: value })
    assert.equal(answer.code, 'bad_parameter', `${name} ${JSON.stringify(value)}`)
    assert.ok(answer.err!.startsWith(`${name}: `), answer.err)
  }
  const { rowCount } = await api.pool.query(`select from recharge_order where orderid = 'fields'`)
  assert.equal(rowCount, 0)
})

test('lengths count characters, not bytes or halves of pairs', async () => {
  const user = { username: '😀'.repeat(64), localusermark: '用'.repeat(64) }
  const address = (await api.ask(merchant, 'newAddress', user)).data.address
  const answer = await create({ ...user, address, orderid: '单'.repeat(50), amount: '1' })
  assert.equal(answer.status, 1, answer.text)
})

test('text that looks like SQL, HTML or a path is text', async () => {
  for (const username of [
    `'); drop table recharge_order; --`,
    '<script>',
    '../../etc/passwd',
    '{"$ne":1}',
    '%00',
  ]) {
    const user = { username, localusermark: `odd ${++users} ${username}` }
    const address = (await api.ask(merchant, 'newAddress', user)).data.address
    const answer = await create({ ...user, address, orderid: `odd-${users}`, amount: '1', ...stamp() })
    assert.equal(answer.status, 1, username)
  }
})

test('the database itself allows one order for a merchant and an orderid', async () => {
  const user = await newUser()
  await create({ ...user, orderid: 'unique', amount: '1' })
  const addressId = await addressIdOf(api.pool, user)
  await assert.rejects(seedOrder(api.pool, { addressId, orderid: 'unique' }), { code: '23505' })
})

test('a few orders that cannot be written do not take down those that share their statement', async () => {
  const user = await newUser()
  // Nothing the API lets through fails in the database; a rule of this test's own does.
  await api.pool.query(
    `alter table recharge_order add constraint test_only check (orderid not like 'cursed-%') not valid`,
  )
  const orderids = Array.from({ length: 30 }, (_, i) => (i % 10 === 3 ? `cursed-${i}` : `blessed-${i}`))
  const answers = await Promise.all(orderids.map(orderid => create({ ...user, orderid, amount: '1' })))
  answers.forEach((answer, i) => {
    assert.equal(answer.code, orderids[i]!.startsWith('cursed') ? 'internal' : undefined)
  })
  assert.equal(answers.find(answer => answer.code)!.err, 'internal error')
  assert.equal(answers.find(answer => answer.code)!.httpStatus, 500)
  await api.pool.query(`alter table recharge_order drop constraint test_only`)
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { usdt } from '../../../../src/base/money.ts'
import { makePayment } from '../../../../src/sandbox/chain/sandbox-transactions.ts'
import { startSandboxNode } from '../../../../src/sandbox/sandbox-node.ts'
import { addressFromBytes, type TronAddress } from '../../../../src/tron/address.ts'
import { openConsoleUnderTest } from '../../../support/console-under-test.ts'
import { seedAddress, seedOrder, seedOrders } from '../../../support/seed.ts'
import { seedMerchant } from '../../../support/seed-merchant.ts'

const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 5 })
after(() => sandbox.close())
const { chain } = sandbox
const center = await openConsoleUnderTest({ TRON_NETWORK: 'sandbox', TRON_NODES: sandbox.url })
const { pool, addPerson, signedIn } = center
await pool.query(
  `insert into chain_cursor (network, genesis_id, usdt_contract, start_height, height, hash, block_time)
   values ('sandbox', $1, 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t', 1, $2, repeat('1', 64), now())`,
  [chain.genesisId, chain.solid.height],
)
const mine = await seedMerchant(pool, { name: 'My shop' })
const other = await seedMerchant(pool, { name: 'Other shop' })
const visit = await signedIn(await addPerson('mine@example.com', { roles: [[mine, 'support']] }))
const admin = await signedIn(center.admin)
const { address, addressId } = await seedAddress(pool, { merchantId: mine.id, localusermark: 'ann' })
const { address: theirs } = await seedAddress(pool, { merchantId: other.id })
await seedOrder(pool, { addressId, orderid: 'sh-1' })

const find = (text: string, who = visit) => who.get(`/console/search?q=${encodeURIComponent(text)}`)

test('one hit opens it, for a member and for an admin', async () => {
  const { ordersn } = (await pool.query('select ordersn from recharge_order')).rows[0]
  for (const who of [visit, admin]) {
    const { status, location } = await find('sh-1', who)
    assert.deepEqual([status, location], [303, `/console/orders/${ordersn}`])
    assert.equal((await find(address, who)).location, `/console/addresses/${address}`)
    assert.equal((await find('ann', who)).location, `/console/orders?merchant=${mine.appid}&user=ann`)
  }
})

test('several hits are listed by what they are, and more than twenty are said', async () => {
  await seedOrders(
    pool,
    Array.from({ length: 25 }, () => ({ addressId, amount: 42_000_000n })),
  )
  const { text } = await find('42')
  assert.equal(text.match(/href="\/console\/orders\/cz-/g)!.length, 20)
  assert(text.includes('There are more than 20.'))
  assert(text.includes('newest 5 000 orders'))
})

test('an empty box says what can be searched for, and what is not found what to check', async () => {
  assert((await find('')).text.includes('Type what you have'))
  assert((await find('nothing at all')).text.includes('Nothing was found'))
  assert((await find(address.toLowerCase())).text.includes('has lost its capitals'))
  assert((await find(`${address.slice(0, -1)}1`)).text.includes('checksum does not fit'))
  for (const foreign of [theirs, addressFromBytes(randomBytes(20))])
    assert((await find(foreign)).text.includes('none of the addresses here'))
  const { text } = await find('<script>alert(1)</script>')
  assert(text.includes('&lt;script>alert(1)') && !text.includes('<script>alert'))
})

test('a transaction that is not recorded is looked up, and the answer is shown as one node’s word', async () => {
  const pay = (to: TronAddress) => {
    const transaction = makePayment(chain.stamp(), [{ to, amount: usdt(7_000_000n) }])
    chain.add([transaction])
    chain.mine()
    return transaction.id
  }
  const [own, elsewhere] = [pay(address), pay(theirs)]
  const found = await find(`https://tronscan.org/#/transaction/${own.toUpperCase()}`)
  assert.equal(found.status, 200)
  assert.match(found.text, /in a block that is not final yet\. 6 blocks are to go/)
  assert(found.text.includes(address.slice(0, 4)) && found.text.includes('it is not verified'))
  assert(!found.text.includes(new URL(sandbox.url).host))
  assert((await find(elsewhere)).text.includes('not to one of your addresses'))
  // To an admin both are ours, and it is said which node was asked.
  const asAdmin = await find(elsewhere, admin)
  assert.match(asAdmin.text, /7 blocks are to go/)
  assert(asAdmin.text.includes(new URL(sandbox.url).host))
  assert((await find(randomBytes(32).toString('hex'))).text.includes('knows no such transaction'))
})

test('the page is there in Chinese', async () => {
  await visit.post('/console/language', { locale: 'zh' })
  assert((await find('nothing at all')).text.includes('没有找到'))
  assert((await find(randomBytes(32).toString('hex'))).text.includes('节点没有这笔交易'))
})

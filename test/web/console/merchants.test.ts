import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { usdt } from '../../../src/base/money.ts'
import { makePayment, sandboxAddresses } from '../../../src/sandbox/chain/sandbox-transactions.ts'
import { startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { deriveAddress, parseAccountKey } from '../../../src/tron/account-key.ts'
import { otherXpub, testXpub } from '../../support/api-under-test.ts'
import { openConsoleUnderTest } from '../../support/console-under-test.ts'
import { pageWords } from '../../support/page-words.ts'
import { seedAddress, seedOrders } from '../../support/seed.ts'
import { seedCallbacks } from '../../support/seed-callback.ts'
import { seedMerchant, seedMerchants } from '../../support/seed-merchant.ts'

const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 1 })
after(() => sandbox.close())

const withNodes = { TRON_NETWORK: 'sandbox', TRON_NODES: sandbox.url, PUBLIC_URL: 'http://localhost:8080' }

const usual = { name: 'Shop', xpub: testXpub, callback_url: 'https://shop.example/cb', scheme: 'hmac-sha256' }

/** Of the first test vector of BIP-32. */
const privateKey =
  'xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi'

async function adminOf(center: Awaited<ReturnType<typeof openConsoleUnderTest>>) {
  const visit = await center.signedIn(center.admin, { confirmed: true })
  await visit.get('/console/merchants/add')
  return visit
}

test('a merchant is added with a key and a secret that are shown once, and the audit says by whom', async () => {
  const center = await openConsoleUnderTest(withNodes)
  const visit = await adminOf(center)
  const { status, text } = await visit.post('/console/merchants/add', { ...usual, deposits: 'yes' })
  assert.equal(status, 200)
  const { rows } = await center.pool.query(`select appid, name, callback_url, deposits from merchant`)
  const [{ appid, ...merchant }] = rows
  assert.deepEqual(merchant, { name: 'Shop', callback_url: usual.callback_url, deposits: true })
  const words = pageWords(text)
  const copied = [...text.matchAll(/data-copy="([^"]*)"/g)].map(([, value]) => value!)
  const secret = copied.find(value => value.startsWith('whsec_'))!
  assert(copied.includes(appid))
  assert(copied.includes(deriveAddress(parseAccountKey(testXpub), 0)))
  const key = copied.find(value => /^\w{32,}$/.test(value) && !value.startsWith('T'))!
  assert.match(words, /shown only now/)
  const { rows: audit } = await center.pool.query(
    `select actor, action from audit_event where action = 'merchant.added'`,
  )
  assert.deepEqual(audit, [{ actor: 'Root <root@example.com>', action: 'merchant.added' }])
  for (const path of ['', '/add', `/of/${appid}`]) {
    const later = (await visit.get(`/console/merchants${path}`)).text
    assert(!later.includes(secret) && !later.includes(key), path)
  }
})

test('what is wrong with a new merchant is said beside its field, and nothing is added', async () => {
  const center = await openConsoleUnderTest(withNodes)
  const visit = await adminOf(center)
  const wrong = async (fields: Record<string, string>, says: RegExp) => {
    const { status, text } = await visit.post('/console/merchants/add', { ...usual, ...fields })
    assert.equal(status, 400, `${says}`)
    assert.match(pageWords(text), says)
  }
  await wrong({ name: '' }, /1 to 100 characters/)
  await wrong({ xpub: 'xpub1' }, /The extended key cannot be read: its checksum does not match/)
  for (const secret of [privateKey, 'legal winner thank year wave sausage worth useful']) {
    const { status, text } = await visit.post('/console/merchants/add', { ...usual, xpub: secret })
    assert.equal(status, 400)
    assert(!text.includes(secret.slice(4)), 'what may be a private key is not rendered again')
  }
  await wrong({ xpub: privateKey }, /is a private key: .*Consider the private key disclosed/)
  await wrong({ first_index: '0' }, /A whole number from 1/)
  await wrong({ first_index: '2147483648' }, /A whole number from 1/)
  await wrong({ callback_url: 'https://127.0.0.1/cb' }, /Callback URL .*127\.0\.0\.1/)
  const chinese = await visit.post('/console/merchants/add?lang=zh', {
    ...{ ...usual, callback_url: 'https://127.0.0.1/cb' },
  })
  assert.match(pageWords(chinese.text), /该地址不可用（.*127\.0\.0\.1.*）/)
  await wrong({ callback_url: '', deposits: 'yes' }, /must not be empty/)
  assert.equal((await center.pool.query(`select from merchant`)).rowCount, 0)
  assert.equal((await visit.post('/console/merchants/add', usual)).status, 200)
  await wrong({ xpub: otherXpub }, /has this name already\..*although another merchant has this name/)
  await wrong({ name: 'Second', first_index: '7' }, /in use already; its next address has index 1/)
  const again = { ...usual, again: 'yes', scheme: 'sha1' }
  assert.equal((await visit.post('/console/merchants/add', again)).status, 200)
  const { rows } = await center.pool.query(
    `select m.name, k.scheme, m.always_200 from merchant m join merchant_key k on k.merchant_id = m.id order by m.id`,
  )
  assert.deepEqual(rows, [
    { name: 'Shop', scheme: 'hmac-sha256', always_200: false },
    { name: 'Shop', scheme: 'sha1', always_200: true },
  ])
})

test('an account key whose addresses were used is refused; one that nobody could look at needs a tick', async () => {
  const account = parseAccountKey(otherXpub)
  const paid = [{ to: deriveAddress(account, 3), amount: usdt(5n) }]
  sandbox.chain.add([makePayment(sandbox.chain.stamp(), paid, { from: sandboxAddresses.payer })])
  sandbox.chain.mine()
  sandbox.chain.mine()
  const center = await openConsoleUnderTest(withNodes)
  const visit = await adminOf(center)
  const used = await visit.post('/console/merchants/add', { ...usual, xpub: otherXpub })
  assert.equal(used.status, 400)
  assert.match(pageWords(used.text), /index 3, T\w{33}.*beyond the last one that was used: 4 or more/)
  const ticked = await visit.post('/console/merchants/add', { ...usual, xpub: otherXpub, unchecked: 'yes' })
  assert.equal(ticked.status, 400, 'a tick does not help where it is known')
  const beyond = await visit.post('/console/merchants/add', { ...usual, xpub: otherXpub, first_index: '4' })
  assert.equal(beyond.status, 200)

  const alone = await openConsoleUnderTest()
  const other = await adminOf(alone)
  const unknown = await other.post('/console/merchants/add', usual)
  assert.equal(unknown.status, 400)
  assert.match(pageWords(unknown.text), /could not be checked.*although nobody could say/)
  const although = await other.post('/console/merchants/add', { ...usual, unchecked: 'yes' })
  assert.equal(although.status, 200)
})

test('a node that takes the question and says nothing keeps no page waiting', async () => {
  const sockets: Socket[] = []
  const silent = createServer(socket => sockets.push(socket)).listen(0, '127.0.0.1')
  after(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const center = await openConsoleUnderTest({ ...withNodes, TRON_NODES: `http://127.0.0.1:${port}` })
  const visit = await adminOf(center)
  const { status, text } = await visit.post('/console/merchants/add', usual)
  assert.equal(status, 400)
  assert.match(pageWords(text), /could not be checked in time .*although nobody could say/)
  assert.equal((await center.pool.query(`select from merchant`)).rowCount, 0)
})

test('a merchant is renamed, disabled and enabled; its callbacks are held meanwhile', async () => {
  const center = await openConsoleUnderTest()
  const { pool } = center
  const shop = await seedMerchant(pool, { name: 'Shop', callbackUrl: 'https://shop.example/cb' })
  await seedMerchant(pool, { name: 'Taken' })
  await seedCallbacks(pool, [{ merchant: shop }])
  const { addressId } = await seedAddress(pool, { merchantId: shop.id, localusermark: 'u9' })
  await seedOrders(pool, [{ addressId }, { addressId, createdAt: new Date(Date.now() - 9 * 86_400_000) }])
  const path = `/console/merchants/of/${shop.appid}`
  const visit = await center.signedIn(center.admin, { confirmed: true })
  await visit.get(path)
  const state = async () =>
    (
      await pool.query(
        `select name, disabled_at is not null as disabled, state
           from merchant m, callback_outbox where m.id = $1`,
        [shop.id],
      )
    ).rows[0]
  const taken = await visit.post(`${path}/name`, { name: 'Taken' })
  assert.equal(taken.status, 400)
  assert.match(taken.text, /has this name already/)
  assert.equal((await visit.post(`${path}/name`, { name: 'Better' })).location, `${path}?done=renamed`)
  assert.equal((await visit.post(`${path}/name`, { name: 'Better' })).location, `${path}?done=same`)
  const before = pageWords((await visit.get(path)).text)
  assert.match(
    before,
    /payment pages of its orders say not to pay.*Its callbacks are held.*can still sign in/,
  )
  assert.match(before, /Open orders, not yet paid in full 1 Callbacks to be sent 1 Callbacks being sent 0 /)
  const noReason = await visit.post(`${path}/state`, { to: 'disable' })
  assert.deepEqual([noReason.status, (await state()).disabled], [400, false])
  const unclear = await visit.post(`${path}/state`, { to: '', reason: 'why' })
  assert.deepEqual([unclear.status, (await state()).disabled], [400, false])
  const chinese = await visit.post(`${path}/state?lang=zh`, { to: '', reason: 'why' })
  assert.match(
    pageWords(chinese.text),
    /无法执行 没有任何改动。网关给出的原因（英文）： to must be disable or enable/,
  )
  const reason = 'fraud is suspected'
  const disabled = await visit.post(`${path}/state`, { to: 'disable', reason })
  assert.equal(disabled.location, `${path}?done=disabled`)
  assert.match(pageWords((await visit.get(path)).text), /Callbacks to be sent 0 .* Callbacks held 1 /)
  assert.deepEqual(await state(), { name: 'Better', disabled: true, state: 'held' })
  assert.match((await visit.get(`${path}?done=disabled`)).text, /Its requests are refused/)
  await visit.post(`${path}/state`, { to: 'enable', reason: 'it was not' })
  assert.deepEqual(await state(), { name: 'Better', disabled: false, state: 'due' })
  const { rows } = await pool.query(
    `select actor, action, reason from audit_event where actor like 'Root%' and action like 'merchant.%' order by id`,
  )
  assert.deepEqual(
    rows.map(row => [row.actor, row.action, row.reason]),
    [
      ['Root <root@example.com>', 'merchant.renamed', null],
      ['Root <root@example.com>', 'merchant.disabled', reason],
      ['Root <root@example.com>', 'merchant.enabled', 'it was not'],
    ],
  )
  assert.equal((await visit.get('/console/merchants/of/unknown')).status, 404)
})

test('merchants are listed with their figures, found by name or appid, page by page', async () => {
  const center = await openConsoleUnderTest()
  const { pool } = center
  const shop = await seedMerchant(pool, { name: 'Great Shop', callbackUrl: 'https://shop.example/cb' })
  await center.addPerson('own@example.com', { roles: [[shop, 'owner']] })
  const [, gone] = await seedCallbacks(pool, [
    { merchant: shop, amount: 1_500_000_000n },
    { merchant: shop, amount: 1_000_000n },
  ])
  await pool.query(`delete from callback_outbox where callback_id = $1`, [gone!.callbackId])
  await pool.query(`update callback set exhausted_at = now() where id = $1`, [gone!.callbackId])
  await pool.query(`update callback_outbox set due_at = now() - interval '3 hours'`)
  const { addressId } = await seedAddress(pool, { merchantId: shop.id, localusermark: 'u5' })
  await seedOrders(pool, [{ addressId }, { addressId, createdAt: new Date(Date.now() - 2 * 86_400_000) }])
  const visit = await center.signedIn(center.admin)
  const { text } = await visit.get('/console/merchants')
  const row = /<tr>(?:(?!<\/tr>).)*Great Shop.*?<\/tr>/s.exec(text)![0]
  const cells = [...row.matchAll(/data-head="([^"]*)">(.*?)<\/td>/gs)].map(
    ([, head, cell]) => `${head}: ${pageWords(cell!).trim()}`,
  )
  assert.deepEqual(cells.slice(2, 8), [
    'State: Enabled',
    'Orders, 24 h: 3',
    'Received, 30 days: 1 501.00',
    'Given up, 7 days: 1',
    'Oldest due: 3 h',
    'People: 1',
  ])
  assert.match(row, new RegExp(`href="/console\\?merchant=${shop.appid}"`))
  await seedMerchants(
    pool,
    Array.from({ length: 60 }, (_, i) => ({ name: `Number ${i}` })),
  )
  const names = async (query: string) => {
    const { text: page } = await visit.get(`/console/merchants${query}`)
    const next = /rel="next" href="([^"]*)"/.exec(page)?.[1]?.replaceAll('&amp;', '&')
    const found = [...page.matchAll(/data-head="Name"><a [^>]*>([^<]*)/g)].map(([, name]) => name!)
    return { found, next }
  }
  const first = await names('')
  assert.equal(first.found.length, 50)
  assert.equal(first.found[0], 'Number 59')
  const second = await names(first.next!.replace('/console/merchants', ''))
  assert.deepEqual(second.found.slice(-2), ['Number 0', 'Great Shop'])
  assert.equal(second.next, undefined)
  assert.deepEqual((await names('?find=great')).found, ['Great Shop'])
  assert.deepEqual((await names(`?find=${shop.appid.slice(3)}`)).found, ['Great Shop'])
  assert.deepEqual((await names('?find=%25')).found, [])
})

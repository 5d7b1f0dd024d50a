import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { pino } from 'pino'
import { openAddressWitness } from '../../src/addresses/address-witness.ts'
import { openAssignment } from '../../src/addresses/assign-address.ts'
import { skipAddresses } from '../../src/addresses/skip-addresses.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { repeat } from '../../src/base/repeat.ts'
import { readCursor } from '../../src/blocks/chain-store.ts'
import { creditBlocks } from '../../src/credits/credit-blocks.ts'
import type { CreditRules } from '../../src/credits/credit-rules.ts'
import { createPool, type Pool } from '../../src/db/pool.ts'
import { addressToBytes, type TronAddress } from '../../src/tron/address.ts'
import { openApiUnderTest } from '../support/api-under-test.ts'
import { makeBlock } from '../support/chain-blocks.ts'
import { startReplicatedPostgres } from '../support/standby.ts'
import { waitUntil } from '../support/wait-until.ts'

// A Postgres with a standby, both real. The primary is killed and the standby promoted, with and without a loss. The
// processes of the API are played by witnesses on pools of their own.

/** The API and its database behind a failover. `open` opens a process that assigns addresses, as the API's does. */
async function openWorld() {
  const postgres = await startReplicatedPostgres()
  process.env.TEST_POSTGRES_URL = postgres.url
  const api = await openApiUnderTest()
  after(postgres.close)
  const shop = await api.addMerchant({ callbackUrl: 'https://shop.example/cb' })
  const { id: merchantId, addressCounterId } = api.merchants.byAppid(shop.appid)!
  const open = () => {
    const lines: string[] = []
    const pool = createPool(api.url)
    after(() => pool.end())
    const registry = createMetrics()
    const log = pino({}, { write: line => lines.push(line) })
    const witness = openAddressWitness({ pool, log, registry })
    const assign = openAssignment(pool, witness)
    const dying = new AbortController()
    after(() => dying.abort())
    const silent = pino({ level: 'silent' })
    repeat({ chore: 'witness', everyMs: 50, work: witness.look, log: silent, signal: dying.signal })
    return {
      said: () => lines.join(''),
      isStopped: async () => /^gateway_addresses_stopped 1$/m.test(await registry.metrics()),
      die: () => dying.abort(),
      address: async (localusermark: string) =>
        (await assign({ merchantId, localusermark, username: 'u', orderid: null }, addressCounterId)).address,
    }
  }
  return { postgres, api, shop, open }
}

test('a failover that lost nothing stops nothing', async () => {
  const { postgres, open } = await openWorld()
  const [one, other] = [open(), open()]
  const before = [await one.address('1'), await other.address('2'), await one.address('3')]
  await postgres.caughtUp()
  await postgres.failOver()
  const known = await one.address('1')
  const fresh = await Promise.all([one.address('4'), other.address('5'), one.address('6')])
  assert.equal(known, before[0])
  assert.equal(new Set([...before, ...fresh]).size, 6)
  assert.doesNotMatch(one.said() + other.said(), /addresses.stopped/)
})

test('after a failover that lost an address none is assigned until `gateway restored`, and everything else goes on', async () => {
  const { postgres, api, shop, open } = await openWorld()
  const [one, other] = [open(), open()]
  const kept = await one.address('kept')
  await other.address('beside')
  await postgres.caughtUp()
  await postgres.stopStreaming()
  const lost = [await one.address('lost'), await one.address('lost too')]
  await postgres.failOver()

  for (const replica of [one, other]) {
    await assert.rejects(replica.address('new'), { code: 'unavailable' })
    await waitUntil('the alarm', replica.isStopped)
    assert.match(replica.said(), /addresses.stopped/)
    assert.match(replica.said(), /counter 1 was at index \d+ and is at \d+/)
  }
  const fresh = open()
  await assert.rejects(fresh.address('new'), { code: 'unavailable' }, 'one that starts later')
  const refused = await api.ask(shop, 'newAddress', { username: 'u', localusermark: 'new' })
  assert.deepEqual(
    [refused.httpStatus, refused.code, refused.headers['retry-after']],
    [503, 'unavailable', '30'],
  )
  const auto = { username: 'u', localusermark: 'kept', amount: '5' }
  const own = await api.ask(shop, 'TraderRechargeorder', { ...auto, orderid: 'auto', address: 'auto' })
  assert.equal(own.code, 'unavailable')

  const found = await api.ask(shop, 'newAddress', { username: 'u', localusermark: 'kept' })
  assert.equal(found.data.address, kept)
  const order = await api.ask(shop, 'TraderRechargeorder', { ...auto, orderid: 'given', address: kept })
  assert.equal(order.status, 1, order.text)
  await pay(api.pool, kept, 5_000_000n)
  const paid = await api.ask(shop, 'findorder', { orderid: 'given' })
  assert.equal(paid.data.state, 'paid', paid.text)

  await assert.rejects(
    skipAddresses(api.pool, 1),
    /counter 1 was at index \d+ and is at \d+: skip at least 2/,
  )
  await skipAddresses(api.pool, 10)
  const assigned = await waitUntil('addresses are assigned again', () => one.address('new').catch(() => null))
  assert.equal([kept, ...lost].includes(assigned), false)
  await waitUntil('the alarm to end', async () => !(await one.isStopped()) && !(await other.isStopped()))
  assert.match(one.said(), /addresses.assigned_again/)
  const { rows } = await api.pool.query(
    `select detail ->> 'stoppedBecause' as because from audit_event where action = 'addresses.resumed'`,
  )
  assert.match(rows[0]?.because, /counter 1 was at index/)
  for (const address of lost) {
    const { rowCount } = await api.pool.query(`select from deposit_address where address = $1`, [address])
    assert.equal(rowCount, 1, 'watched')
  }
})

async function pay(pool: Pool, to: TronAddress, units: bigint): Promise<void> {
  const cursor = (await readCursor(pool))!
  const tip = { height: cursor.height, hash: cursor.hash }
  const block = makeBlock('failover', tip, new Date(), [[{ toBytes: addressToBytes(to), units }]])
  const rules: CreditRules = { ...cursor, graceMs: 60_000, quorumAmount: null }
  assert.ok(await creditBlocks(pool, rules, cursor, [block]))
}

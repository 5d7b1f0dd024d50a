import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openAddressWitness } from '../../src/addresses/address-witness.ts'
import { openAssignment } from '../../src/addresses/assign-address.ts'
import { openPublishedIndexes, type PublishedIndexes } from '../../src/addresses/published-indexes.ts'
import { findStop } from '../../src/addresses/resume-assigning.ts'
import { skipAddresses } from '../../src/addresses/skip-addresses.ts'
import { openApiUnderTest } from '../support/api-under-test.ts'
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { waitUntil } from '../support/wait-until.ts'

// Who may say that nothing was lost. A failover is played by SQL here: the database then has another history than the one
// that was accepted. failover.test.ts does the same with a real standby.

const api = await openApiUnderTest()
const shop = await api.addMerchant()
const { id: merchantId, addressCounterId } = api.merchants.byAppid(shop.appid)!
let users = 0

function openProcess(published: PublishedIndexes | null = null) {
  const witness = openAddressWitness({ pool: api.pool, published })
  const assign = openAssignment(api.pool, witness)
  after(witness.close)
  return {
    witness,
    address: async () => {
      const request = { merchantId, localusermark: `user ${++users}`, username: 'u', orderid: null }
      return (await assign(request, addressCounterId)).address
    },
  }
}

/** Starts each test with no process known. */
async function forgetAll(): Promise<void> {
  await api.pool.query('delete from address_witness; delete from database_history')
}

/** What a promotion looks like. @param lost how many addresses the new primary lacks. */
async function failOver(lost = 0): Promise<void> {
  await api.pool.query(`update database_history set history = history || ' before'`)
  await api.pool.query(`update address_witness set history = history || ' before'`)
  await api.pool.query(
    `delete from deposit_address
      where id in (select id from deposit_address order by id desc limit $1)`,
    [lost],
  )
  await api.pool.query('update address_counter set next_index = next_index - $1', [lost])
}

const unavailable = { code: 'unavailable' }

test('one process that remembers, and finds all of it, accepts the new history at once', async () => {
  await forgetAll()
  const one = openProcess()
  await one.address()
  await failOver()
  await one.address()
  assert.equal(await findStop(api.pool), null)
})

test('what is assigned while the counters are compared is not lost', async () => {
  await forgetAll()
  await openProcess().address()
  const { witness } = openProcess()
  const held = await api.pool.connect()
  try {
    // Holds the comparison up after it has read the counters.
    await held.query('begin; lock table address_witness in access exclusive mode')
    const looking = witness.look()
    await waitUntil('the comparison waits', async () => {
      const { rows } = await api.pool.query(
        `select from pg_locks where not granted and relation = 'address_witness'::regclass`,
      )
      return rows.length > 0
    })
    const { rows } = await api.pool.query(
      'update address_counter set next_index = next_index + 1 where id = $1 returning next_index::int as next',
      [addressCounterId],
    )
    await witness.remember(addressCounterId, rows[0].next)
    await held.query('commit')
    await looking
  } finally {
    held.release(true)
  }
  assert.equal(await findStop(api.pool), null)
})

test('one that has just started knows nothing, so none is assigned until `gateway restored`', async () => {
  await forgetAll()
  await openProcess().address()
  await failOver()
  const fresh = openProcess()
  await assert.rejects(fresh.address(), unavailable)
  assert.match((await findStop(api.pool))!, /promoted or restored/)
  await skipAddresses(api.pool, 1)
  await waitUntil('addresses are assigned again', () => fresh.address().catch(() => null))
})

test('nor can it when every process had stopped in order', async () => {
  await forgetAll()
  const before = openProcess()
  await before.address()
  await before.witness.close()
  await failOver()
  await assert.rejects(openProcess().address(), unavailable)
})

test('of two processes one has died with the primary: nobody knows what it assigned last', async () => {
  await forgetAll()
  const [living, dead] = [openProcess(), openProcess()]
  await living.address()
  await dead.address()
  await failOver()
  await assert.rejects(living.address(), unavailable)
  await waitUntil('the dead one to be back after all', async () => {
    await dead.witness.look()
    return living.address().catch(() => null)
  })
})

test('one that died a minute before is not waited for', async () => {
  await forgetAll()
  const [living, dead] = [openProcess(), openProcess()]
  await dead.address()
  await api.pool.query(`update address_witness set seen_at = now() - interval '61 seconds'`)
  await living.address()
  await failOver()
  await living.address()
  await dead.address()
})

test('a database put back in place, with the same history, is noticed by the process that assigned', async () => {
  await forgetAll()
  const one = openProcess()
  await one.address()
  await one.address()
  await api.pool.query(`delete from deposit_address where index = (select max(index) from deposit_address)`)
  await api.pool.query('update address_counter set next_index = next_index - 1')
  await assert.rejects(one.address(), unavailable)
  assert.match((await findStop(api.pool))!, /counter \d+ was at index \d+ and is at \d+/)
  await assert.rejects(openProcess().address(), unavailable, 'every process is told')
  await skipAddresses(api.pool, 1)
})

test('a counter that is missing is said, and is no hindrance once it is skipped', async () => {
  await forgetAll()
  const one = openProcess()
  await one.address()
  const { rows } = await api.pool.query(
    `insert into address_counter (public_key, chain_code, xpub, next_index)
     values (decode(repeat('ab', 33), 'hex'), decode(repeat('cd', 32), 'hex'), 'other', 5) returning id`,
  )
  await failOver()
  await one.address() // Has seen it now.
  await api.pool.query('delete from address_counter where id = $1', [rows[0].id])
  await failOver()
  await assert.rejects(one.address(), unavailable)
  assert.match((await findStop(api.pool))!, /was at index 5 and is missing/)
  await skipAddresses(api.pool, 1)
  await waitUntil('addresses are assigned again', () => one.address().catch(() => null))
})

test('the role of the gateway need not be a superuser to read the history', async () => {
  const { rows } = await api.pool.query('select current_history() as history')
  const client = await api.pool.connect()
  try {
    await client.query('begin')
    await client.query('create role plain_reader')
    await client.query('grant execute on function current_history() to plain_reader')
    await client.query('set local role plain_reader')
    const plain = await client.query('select current_history() as history')
    assert.deepEqual(plain.rows, rows)
    assert.match(plain.rows[0].history, /^\d+-\d+\/\d+$/)
  } finally {
    await client.query('rollback')
    client.release()
  }
})

/** A process that has published all of what it assigned. */
async function openPublishing(redis: TestRedis) {
  const process = openProcess(openPublishedIndexes(redis.url, 'gateway:addresses:test'))
  await process.address()
  await waitUntil('it is in Redis', async () => {
    await process.witness.look()
    const { rows } = await api.pool.query('select bool_and(published) as all from address_witness')
    return rows[0].all
  })
  return process
}

test('with Redis a process may die: what it assigned is known', { skip: noRedis }, async () => {
  await forgetAll()
  const redis = await startRedis()
  const dead = await openPublishing(redis)
  await dead.address()
  await failOver()
  const fresh = openProcess(openPublishedIndexes(redis.url, 'gateway:addresses:test'))
  await waitUntil('addresses are assigned', () => fresh.address().catch(() => null))

  const dying = await openPublishing(redis)
  await dying.address()
  await dying.address()
  await failOver(1)
  const late = openProcess(openPublishedIndexes(redis.url, 'gateway:addresses:test'))
  await assert.rejects(late.address(), unavailable)
  await waitUntil('the loss is found', async () => {
    await late.witness.look()
    return /was at index/.test((await findStop(api.pool)) ?? '')
  })
  await skipAddresses(api.pool, 1)
})

test('a Redis that was restarted vouches for nothing, and one that is away delays nothing for long', {
  skip: noRedis,
}, async () => {
  await forgetAll()
  const redis = await startRedis()
  const dead = await openPublishing(redis)
  const port = Number(new URL(redis.url).port)
  await redis.stop()
  await dead.address()
  const { rows } = await api.pool.query('select published from address_witness')
  assert.deepEqual(rows, [{ published: false }], 'said in the database before the address was answered')
  await dead.address()
  const again = await startRedis(port)
  await failOver()
  const fresh = openProcess(openPublishedIndexes(again.url, 'gateway:addresses:test'))
  await assert.rejects(fresh.address(), unavailable)
  await dead.address()
})

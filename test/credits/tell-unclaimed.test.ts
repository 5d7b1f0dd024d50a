import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventKey } from '../../src/callbacks/outbox/event.ts'
import { assertDescribed } from '../support/described-event.ts'
import { addAddress, addOrder, creditedChain, orderOf } from './credited-chain.ts'

test('a transfer that becomes unclaimed is told of once, and its later credit as ever', async () => {
  const { pool, rules, block, credit } = await creditedChain()
  await pool.query(`update merchant set events = '{deposit.unclaimed}'`)
  const to = await addAddress(pool, 'u1')
  const first = block(10, [[{ toBytes: to, units: 3_000_050n }]])
  await credit([first])
  const { rows } = await pool.query(`select key, fields from event`)
  for (const { fields } of rows) assertDescribed(fields)
  const { txid } = first.transfers[0]!
  const key = eventKey(rules, 'deposit.unclaimed', `${txid}:0`)
  const { address } = (await pool.query(`select address from deposit_address`)).rows[0]
  assert.deepEqual(rows, [
    {
      key,
      fields: {
        event: 'deposit.unclaimed',
        event_id: key,
        event_localusermark: 'u1',
        event_address: address,
        event_txid: txid,
        event_log_index: '0',
        event_amount_usdt: '3.00005',
      },
    },
  ])
  // Looked at again with the next payment, and claimed by an order in the end.
  await credit([block(13, [[{ toBytes: to, units: 1n }]])])
  await addOrder(pool, 'u1', 'o-1', 5_000_000, 14)
  await credit([block(16, [])])
  assert.equal((await orderOf(pool, 'o-1')).received, 3_000_051n)
  assert.equal((await pool.query(`select from event`)).rowCount, 2)
})

test('nobody is told who does not ask, nor of addresses that have no user', async () => {
  const { pool, block, credit } = await creditedChain()
  const to = await addAddress(pool, 'u1')
  await credit([block(10, [[{ toBytes: to, units: 5n }]])])
  await pool.query(`update merchant set events = '{deposit.unclaimed,order.seen}'`)
  const nobodys = await addAddress(pool, 'u2')
  await pool.query(`update deposit_address set localusermark = '' where localusermark = 'u2'`)
  await credit([block(13, [[{ toBytes: nobodys, units: 5n }]])])
  assert.equal((await pool.query(`select from waiting_transfer`)).rowCount, 2)
  assert.equal((await pool.query(`select from event`)).rowCount, 0)
})

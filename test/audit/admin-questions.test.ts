import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { before, test } from 'node:test'
import type { AddressCounterId, MerchantId } from '../../src/base/ids.ts'
import { addressIdOf, seedAddress } from '../support/seed.ts'
import { payer, seedQuarantine, seedSeen, seedWaiting } from '../support/seed-transfer.ts'
import { asReportRole } from './as-report-role.ts'
import { auditedDatabase, tamper } from './audited-database.ts'

// Every query of docs/admin.md, as it stands there, run as the role that admins get, on a database whose every answer is
// known. A query without an answer here fails, and so does an answer without a query.
const text = await readFile(new URL('../../docs/admin.md', import.meta.url), 'utf8')
const queries = new Map(
  [...text.matchAll(/^### (.+?)\n(?:(?!^#).)*?^```sql\n(.*?)^```$/gms)].map(([, q, sql]) => [q!, sql!]),
)
const { pool } = await auditedDatabase()
const [shop, other] = ['VunTq7Zk2Lm9h1l8', 'Other0therOther1']
const seenTxid = 'ab'.repeat(32)
const today = new Date().toISOString().slice(0, 10)

/** What its values are, which columns are looked at, and the rows there must be, in order. */
type Answer = { values?: Record<string, string>; columns: string[]; rows: unknown[][] }
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

const answers: Record<string, () => Answer | Promise<Answer>> = {
  'Which payments came today?': () => ({
    columns: ['appid', 'localusermark', 'amount_usdt', 'state', 'orderid', 'late'],
    rows: [[shop, '', '2.500000', 'unclaimed', null, null]],
  }),
  'Where is this transaction?': async () => ({
    values: { txid: await txidOf(9_000_000n) },
    columns: ['found', 'log_index', 'appid', 'amount_usdt', 'state', 'orderid'],
    rows: [['transfer', 0, shop, '9.000000', 'unclaimed', null]],
  }),
  'What did this sender pay us?': () => ({
    values: { sender: payer },
    columns: ['appid', 'amount_usdt', 'state'],
    rows: [[shop, '2.500000', 'unclaimed']],
  }),
  'What has not been credited, and why?': () => ({
    columns: ['appid', 'reason', 'transfers', 'usdt', 'why'],
    rows: [
      [shop, 'held', 1n, '50.000000', 'above CREDIT_QUORUM_AMOUNT: waits for a second node to show the same'],
      [
        shop,
        'unclaimed',
        1n,
        '9.000000',
        'no order on this address was made before it; the next one there gets it',
      ],
      [
        shop,
        'unclaimed',
        1n,
        '2.500000',
        "its address was handed out after the backup that was restored: nobody's until it is found out",
      ],
    ],
  }),
  'What waits for proof, and what seemed made up?': async () => {
    await pool.query(
      `insert into pending_proof (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash, block_time,
                                  tx_index, node, hosts, denied)
       select repeat('cd', 32), 0, deposit_address_id, from_address, 1500000, block_height, block_hash, block_time, 0, 'a', '{a}', '{b}'
         from transfer where id = 1`,
    )
    return {
      columns: ['state', 'amount_usdt', 'appid', 'hosts', 'denied', 'ended_because', 'ended_by'],
      rows: [['waiting', '1.500000', shop, ['a'], ['b'], null, null]],
    }
  },
  'What was rejected, by whom and why?': () => ({
    columns: ['kind', 'appid', 'amount_usdt', 'reason', 'rejected_by'],
    rows: [['log', null, null, 'nobody can read it', 'command line alice@host']],
  }),
  'Which transfers were assigned by hand, and why?': () => ({
    columns: ['appid', 'amount_usdt', 'orderid', 'localusermark', 'reason', 'assigned_by'],
    rows: [[shop, '6.000000', 'o-2', 'u2', 'the payer wrote us', 'command line alice@host']],
  }),
  'What was refunded, corrected or settled outside?': () => ({
    columns: ['kind', 'appid', 'amount_usdt', 'orderid', 'refund_txid', 'reason', 'made_by', 'withdrawn_by'],
    rows: [
      ['refund', shop, '1.000000', 'o-2', 'ab'.repeat(32), 'paid too much', 'command line alice@host', 2n],
      ['withdrawal', shop, '1.000000', 'o-2', null, 'it came back', 'command line bob@host', null],
    ],
  }),
  'Which transfers are unclaimed?': () => ({
    columns: ['localusermark', 'amount_usdt'],
    rows: [
      ['u3', '9.000000'],
      ['', '2.500000'],
    ],
  }),
  'What waits for a second node?': () => ({
    columns: ['amount_usdt', 'appid', 'node', 'note'],
    rows: [['50.000000', shop, 'node', null]],
  }),
  'What became of this order?': () => ({
    values: { appid: shop, orderid: 'o-1' },
    columns: ['state', 'expired', 'late', 'amount_usdt', 'received_usdt', 'announced_usdt'],
    rows: [['underpaid', false, false, '3.000000', '1.000100', '1.000100']],
  }),
  'Which orders were paid late, too much or too little?': () => ({
    values: { since: '2026-01-01' },
    columns: ['appid', 'orderid', 'state', 'late', 'amount_usdt', 'received_usdt'],
    rows: [[shop, 'o-2', 'overpaid', true, '5.000000', '6.000000']],
  }),
  'Which addresses does this user have?': () => ({
    values: { appid: shop, localusermark: 'u1' },
    columns: ['kind', 'is_base', 'orderid'],
    rows: [['base', true, null]],
  }),
  'Whose is this address?': async () => ({
    values: { address: await addressOf('u5') },
    columns: ['appid', 'localusermark', 'username', 'kind', 'orderid'],
    rows: [[shop, 'u5', 'name of u5', 'imported', null]],
  }),
  'What did we announce of this order, and was it acknowledged?': () => ({
    values: { appid: shop, orderid: 'o-1' },
    columns: ['amount_usdt', 'state', 'attempts', 'last_status'],
    rows: [
      ['1.000000', 'delivered', 1, 200],
      ['0.000100', 'due', 0, null],
    ],
  }),
  'What did the merchant answer?': () => ({
    values: { appid: shop, orderid: 'o-2' },
    columns: ['attempt', 'url', 'outcome', 'status', 'duration_ms', 'answer'],
    rows: [[1, 'https://shop.example/cb', 'refused', 503, 12, 'busy']],
  }),
  'Whose callbacks fail, and with which answers?': () => ({
    columns: ['appid', 'origin', 'state', 'last_outcome', 'last_status', 'answer', 'callbacks', 'usdt'],
    rows: [[shop, 'https://shop.example:443', 'exhausted', 'refused', 503, 'busy', 1n, '6.000000']],
  }),
  'Which endpoints are down?': () => ({
    columns: ['appid', 'origin', 'circuit', 'waiting'],
    rows: [[other, 'https://other.example:443', 'open', 1n]],
  }),
  'How much, per merchant and day?': () => ({
    values: { since: '2026-01-01' },
    columns: ['appid', 'transfers', 'received_usdt', 'announced_usdt', 'acknowledged_usdt'],
    rows: [
      [other, 1n, '7.000000', '0.000000', '0.000000'],
      [shop, 6n, '66.000100', '0.000000', '0.000000'],
      [other, 0n, '0.000000', '7.000000', '0.000000'],
      [shop, 1n, '2.500000', '7.000100', '1.000000'],
    ],
  }),
  'Does everything add up?': () => ({
    columns: [
      'appid',
      'orderid',
      'received_units',
      'credited_units',
      'announceable',
      'announced',
      'called_back',
    ],
    rows: [[shop, 'o-5', 100n, 0n, 1n, 0n, 0n]],
  }),
  'What did each merchant receive in all?': () => ({
    columns: [
      'appid',
      'name',
      'orders',
      'transfers',
      'arrived_units',
      'waiting_units',
      'credited_units',
      'due',
      'exhausted',
    ],
    rows: [
      [other, 'other shop', 1n, 1n, 7_000_000n, 0n, 7_000_000n, 1n, 0n],
      [shop, 'shop', 3n, 7n, 68_500_100n, 61_500_000n, 7_000_100n, 1n, 1n],
    ],
  }),
  'Is the watcher behind?': () => ({
    columns: ['network', 'height', 'head_height', 'behind_head_blocks', 'leader', 'leads'],
    rows: [['private', 5, 24, 19, 'host 1', true]],
  }),
  'What is parked, and what do second sources say otherwise?': () => ({
    columns: ['what', 'subject', 'detail'],
    rows: [
      ['parked', 'cd'.repeat(32), 'not understood'],
      ['balance', 'T1', '{"more": true}'],
    ],
  }),
  'What was done by hand?': () => ({
    columns: ['actor', 'action', 'subject', 'detail'],
    rows: [
      ['command line', 'merchant.set', `merchant ${shop}`, { always_200: true }],
      ['gateway migrate', 'audit.began', 'audit events', { events: 0, digest: sha256('') }],
    ],
  }),
  "What does a merchant's code call, and what is it refused?": () => ({
    values: { appid: shop },
    columns: ['endpoint', 'code', 'calls', 'clients', 'p99_ms'],
    rows: [
      ['findorder', 'ok', 2n, 2n, 7],
      ['findorder', 'order_not_found', 1n, 1n, 3],
    ],
  }),
  'What was paid to addresses that were skipped after a restore?': () => ({
    columns: ['amount_usdt', 'from_address'],
    rows: [['2.500000', payer]],
  }),
}

before(async () => {
  const [merchantId, counterId] = [1n as MerchantId, 1n as AddressCounterId]
  const restored = { localusermark: '', username: 'restored', isBase: false }
  const { addressId } = await seedAddress(pool, { merchantId, counterId, index: 5, ...restored })
  const midnight = new Date(`${today}T00:00:00Z`)
  const paid = { txid: 'ef'.repeat(32), amount: 2_500_000n, height: 5, blockTime: midnight }
  await seedWaiting(pool, { addressId, reason: 'unclaimed', ...paid })
  const seenAt = await addressIdOf(pool, { localusermark: 'u1' })
  await seedSeen(pool, { addressId: seenAt, txid: seenTxid, logIndex: 2, amount: 1_500_000n, height: 20 })
  for (const byte of ['cd', 'ce']) await seedQuarantine(pool, { txid: byte.repeat(32), logs: [0] })
  // What the kit has no function for, since nothing else needs it, and an order whose total is wrong.
  await tamper(
    pool,
    `insert into chain_head (height, hash, block_time) values (24, 'hash', now());
     insert into watcher_lease (holder, epoch, expires_at) values ('host 1', 1, now() + interval '1 hour');
     update quarantine set resolved_at = now() where txid = repeat('ce', 32);
     insert into rejection (quarantine_id, reason, rejected_by)
     select id, 'nobody can read it', 'command line alice@host' from quarantine where resolved_at is not null;
     insert into discrepancy (kind, subject, detail) values ('balance', 'T1', '{"more": true}');
     insert into audit_event (actor, action, subject, detail)
     values ('command line', 'merchant.set', 'merchant ${shop}', '{"always_200": true}');
     insert into api_request (merchant_id, endpoint, code, client_address, started_at, duration_ms)
     values (1, 'findorder', 'ok', '203.0.113.7', now(), 5), (1, 'findorder', 'ok', '203.0.113.8', now(), 7),
            (1, 'findorder', 'order_not_found', '203.0.113.7', now(), 3),
            (1, 'findorder', 'ok', '203.0.113.7', now() - interval '2 days', 900);
     insert into transfer_assignment (transfer_id, order_id, reason, assigned_by)
     select transfer_id, order_id, 'the payer wrote us', 'command line alice@host' from credit where amount = 6000000;
     insert into money_mark (kind, merchant_id, transfer_id, amount, txid, reason, made_by)
     select 'refund', 1, transfer_id, 1000000, repeat('ab', 32), 'paid too much', 'command line alice@host'
       from credit where amount = 6000000;
     insert into money_mark (kind, merchant_id, transfer_id, withdraws, reason, made_by)
     select 'withdrawal', merchant_id, transfer_id, id, 'it came back', 'command line bob@host' from money_mark;
     update recharge_order set received = 100 where orderid = 'o-5';
     update callback_lane set opened_at = now(), probe_at = now() where origin like '%other%'`,
  )
})

test('every question has its query in docs/admin.md, and every query its answer here', () => {
  assert.deepEqual([...queries.keys()].sort(), Object.keys(answers).sort())
  assert.equal(text.match(/^```sql$/gm)?.length, queries.size)
})

for (const [question, answer] of Object.entries(answers)) {
  test(question, async () => {
    const { values, columns, rows } = await answer()
    const found = await ask(queries.get(question)!, values)
    assert.deepEqual(
      found.map(row => columns.map(column => row[column])),
      rows,
    )
  })
}

test("a transaction at the head is seen, one that could not be read is parked, a stranger's is neither", async () => {
  const where = queries.get('Where is this transaction?')!
  const [seen] = await ask(where, { txid: seenTxid })
  assert.deepEqual([seen?.found, seen?.log_index, seen?.state], ['seen', 2, '5 confirmations'])
  const found = await ask(where, { txid: 'cd'.repeat(32) })
  const parked = found.find(one => one.found === 'parked')
  assert.equal(parked?.state, 'not understood')
  for (const txid of [seenTxid.toUpperCase(), `0x${seenTxid}`, ` 0X${seenTxid.toUpperCase()} `])
    assert.deepEqual(await ask(where, { txid }), [seen])
  // An empty answer leads on.
  const [nothing, ...more] = await ask(where, { txid: '00'.repeat(32) })
  assert.deepEqual([nothing?.found, more], ['nothing', []])
  assert.match(`${nothing?.state}`, /^pays none of our addresses up to block \d+ of /)
})

test("days are those of UTC, whatever the session's time zone", async () => {
  for (const zone of ['America/New_York', 'Pacific/Kiritimati']) {
    const sql =
      'select day::text as day, transfers from report.volume_per_day where transfers > 0 order by day, transfers'
    assert.deepEqual(await asReportRole(pool, sql, [], zone), [
      { day: '2026-01-01', transfers: 1n },
      { day: '2026-01-01', transfers: 6n },
      { day: today, transfers: 1n },
    ])
    const payments = await asReportRole(pool, queries.get('Which payments came today?')!, [], zone)
    assert.equal(payments.length, 1)
  }
})

/** Runs a query with psql's variables filled in. */
function ask(sql: string, values: Record<string, string> = {}): Promise<Record<string, unknown>[]> {
  const named: string[] = []
  const filled = sql.replace(/:'(\w+)'/g, (_, name: string) => {
    assert(values[name] !== undefined, `:'${name}' has no value`)
    if (!named.includes(name)) named.push(name)
    return `$${named.indexOf(name) + 1}`
  })
  return asReportRole(
    pool,
    filled,
    named.map(name => values[name]),
  )
}

async function txidOf(units: bigint): Promise<string> {
  return (await pool.query('select txid from transfer where amount = $1', [units])).rows[0].txid
}

async function addressOf(user: string): Promise<string> {
  return (await pool.query('select address from deposit_address where localusermark = $1', [user])).rows[0]
    .address
}

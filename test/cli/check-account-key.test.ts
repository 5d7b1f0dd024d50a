import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { usdt } from '../../src/base/money.ts'
import { makePayment, sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { type SandboxNode, startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import { deriveAddress, parseAccountKey } from '../../src/tron/account-key.ts'
import type { TronAddress } from '../../src/tron/address.ts'
import { otherXpub, testXpub } from '../support/api-under-test.ts'
import { cloneDatabase } from '../support/database.ts'
import { gatewayProgram } from '../support/gateway-program.ts'

// `gateway merchant add` with account keys that are new, in use here, or were used elsewhere before.
let sandbox: SandboxNode
const used = parseAccountKey(testXpub)

before(async () => {
  sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 1 })
  pay(sandboxAddresses.payer, deriveAddress(used, 2), 1_500_000n)
  pay(sandboxAddresses.payer, deriveAddress(used, 6), 7n)
  // Emptied again: only its history shows it.
  pay(deriveAddress(used, 6), sandboxAddresses.payer, 7n)
  sandbox.chain.mine()
})
after(() => sandbox.close())

function pay(from: TronAddress, to: TronAddress, units: bigint): void {
  sandbox.chain.add([makePayment(sandbox.chain.stamp(), [{ to, amount: usdt(units) }], { from })])
  sandbox.chain.mine()
}

async function openGateway(settings: Record<string, string> = {}) {
  const { pool, url } = await cloneDatabase()
  const env = { PATH: process.env.PATH, DATABASE_URL: url, MASTER_KEY: '22'.repeat(32), ...settings }
  let merchants = 0
  const add = (...args: string[]) =>
    new Promise<{ status: number; stdout: string; stderr: string }>(resolve => {
      const [node, ...program] = gatewayProgram
      execFile(
        node,
        [...program, 'merchant', 'add', '--name', `shop ${++merchants}`, ...args],
        { env },
        (error, stdout, stderr) => resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
      )
    })
  const next = async () =>
    Number((await pool.query('select next_index from address_counter')).rows[0]?.next_index)
  return { pool, add, next }
}

const nodes = () => ({ TRON_NETWORK: 'sandbox', TRON_NODES: sandbox.url })

test('a new account begins at index 1, index 0 is for comparison, and a second merchant moves nothing', async () => {
  const { pool, add, next } = await openGateway()
  const first = await add('--xpub', otherXpub)
  assert.match(first.stdout, new RegExp(`first_address +${deriveAddress(parseAccountKey(otherXpub), 0)}`))
  assert.match(
    first.stdout,
    /No user is given first_address. The addresses of this account key begin at 0\/1\./,
  )
  assert.match(first.stderr, /Not checked: .*TRON_NODES or TRON_NETWORK is not set/)
  assert.equal(await next(), 1)
  await pool.query('update address_counter set next_index = 9')
  const second = await add('--xpub', otherXpub)
  assert.match(second.stdout, /in use already, and its next address is 0\/9\./)
  assert.equal(second.stderr, '')
  const refused = await add('--xpub', otherXpub, '--first-index', '20')
  assert.deepEqual([refused.status, /next address has index 9/.test(refused.stderr)], [2, true])
  assert.equal(await next(), 9)
  const { rows } = await pool.query('select count(*)::int as merchants from merchant')
  assert.equal(rows[0].merchants, 2)
})

test('a counter from before, which is at 0, stays there, and that is said', async () => {
  const { pool, add, next } = await openGateway()
  await add('--xpub', otherXpub)
  await pool.query('update address_counter set next_index = 0')
  assert.match((await add('--xpub', otherXpub)).stdout, /its next address is 0\/0\. That is first_address\./)
  assert.equal(await next(), 0)
})

test('an account that was used before is refused until --first-index is beyond what was used', async () => {
  const { pool, add, next } = await openGateway({ ...nodes(), RECONCILE_URL: sandbox.url })
  const refused = await add('--xpub', testXpub, '--json')
  assert.equal(refused.status, 2)
  assert.match(
    refused.stderr,
    new RegExp(`index 2 of this account key, ${deriveAddress(used, 2)}, holds 1.5 USDT`),
  )
  assert.match(
    refused.stderr,
    new RegExp(`index 6 of this account key, ${deriveAddress(used, 6)}, has received USDT`),
  )
  assert.match(refused.stderr, /give --first-index, beyond the last index that was used \(7 or more\)/)
  assert.equal((await pool.query('select from merchant')).rowCount, 0)
  assert.match(
    (await add('--xpub', testXpub, '--first-index', '3')).stderr,
    /--first-index 3: give one beyond/,
  )
  const added = await add('--xpub', testXpub, '--first-index', '7', '--json')
  assert.equal(added.status, 0, added.stderr)
  assert.deepEqual(Object.keys(JSON.parse(added.stdout)), ['appid', 'key', 'webhook_secret', 'first_address'])
  assert.match(added.stderr, /^Checked: the addresses 7 to 26 .* never received any USDT \(127/)
  assert.equal(await next(), 7)
})

test('a node over gRPC is passed over: another is asked, or TronGrid, or it is said that nobody was', async () => {
  const only = { TRON_NETWORK: 'sandbox', TRON_NODES: sandbox.grpcUrl }
  for (const env of [
    { ...only, TRON_NODES: `${sandbox.grpcUrl},${sandbox.url}` },
    { ...only, RECONCILE_URL: sandbox.url },
  ]) {
    const { add } = await openGateway(env)
    assert.match((await add('--xpub', testXpub)).stderr, /index 2 .* holds 1.5 USDT/)
  }
  const { add } = await openGateway(only)
  const added = await add('--xpub', otherXpub)
  assert.equal(added.status, 0)
  assert.match(added.stderr, /Not checked: .*\(balances are asked over HTTP, TRON_NODES names only gRPC/)
})

test('a node alone knows what addresses hold, and it is said that their history was not checked', async () => {
  const { add } = await openGateway(nodes())
  const refused = await add('--xpub', testXpub)
  assert.match(refused.stderr, /index 2 .* holds 1.5 USDT/)
  assert.doesNotMatch(refused.stderr, /index 6 of/)
  const added = await add('--xpub', testXpub, '--first-index', '3')
  assert.equal(added.status, 0, added.stderr)
  assert.match(added.stderr, /hold no USDT .* not checked: RECONCILE_URL is not set/)
})

test('a node that does not answer keeps nobody from adding a merchant', async () => {
  const key = 'a-key-in-the-path'
  const { add } = await openGateway({ TRON_NETWORK: 'sandbox', TRON_NODES: `http://127.0.0.1:1/${key}` })
  const added = await add('--xpub', otherXpub)
  assert.equal(added.status, 0, added.stderr)
  assert.match(added.stderr, /^Not checked: .* were used before \(no answer: /)
  assert(!added.stderr.includes(key))
})

for (const index of ['0', '1.5', '2147483648']) {
  test(`--first-index ${index} is refused`, async () => {
    const { add } = await openGateway()
    const { status, stderr } = await add('--xpub', otherXpub, `--first-index=${index}`)
    assert.equal(status, 2)
    assert.match(stderr, /first.index: a whole number from 1/)
  })
}

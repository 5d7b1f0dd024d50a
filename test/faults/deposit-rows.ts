import { formatUsdt } from '../../src/base/money.ts'
import { askGateway } from './ask-gateway.ts'
import { type Deployment, patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
import { dieInCommand, runCommand } from './gateway-command.ts'
import { tellSandbox } from './paying-load.ts'
import { deathAt } from './role-process.ts'
import type { Shop } from './shop.ts'

// K2 too: payments without an order, to a merchant with deposits on. Each is a deposit once, and announced under one key.

export const depositRows: readonly FaultRow[] = [
  {
    id: 'K2',
    what: 'watcher killed before and after the commit of a deposit',
    failpoints: ['credit:before-commit', 'credit:after-commit'],
    inject: killAtDeposit,
  },
  {
    id: 'K2',
    what: 'gateway merchant set --include-unclaimed killed before its commit, and run again',
    failpoints: ['deposits:before-commit'],
    inject: includeWithDeath,
  },
  {
    id: 'K2',
    what: 'gateway unclaimed settle, marks withdraw and unclaimed assign killed before and after their commits, and run again',
    failpoints: ['decision:before-commit', 'decision:after-commit', 'credit:after-credits'],
    inject: assignWithDeaths,
  },
]

/** The payment is made while no watcher runs, so that the first thing each commits is the deposit. */
async function killAtDeposit({ deployment }: Scene, nth: number): Promise<Injected> {
  const shop = deployment.shops[0]!
  const watcher = deployment.watchers[0]!
  await runCommand(deployment, 'merchant', 'set', shop.appid, '--deposits', 'on')
  await watcher.stop()
  const paid = await payUser(deployment, shop, `deposit-${nth}`)
  await watcher.start({ FAILPOINT: 'credit:before-commit' })
  await deathAt(watcher, 'credit:before-commit')
  await expectDeposits(deployment, paid.address, 0)
  await watcher.start({ FAILPOINT: 'credit:after-commit' })
  const at = await deathAt(watcher, 'credit:after-commit')
  await watcher.start()
  await expectBooked(deployment, shop, paid)
  return { at, count: 2 }
}

async function includeWithDeath({ deployment }: Scene, nth: number): Promise<Injected> {
  const shop = deployment.shops[0]!
  const paid = await payUnclaimed(deployment, shop, `unclaimed-${nth}`)
  const command = ['merchant', 'set', shop.appid, '--deposits', 'on', '--include-unclaimed']
  await dieInCommand(deployment, 'deposits:before-commit', ...command)
  await expectDeposits(deployment, paid.address, 0)
  await runCommand(deployment, ...command)
  await runCommand(deployment, ...command)
  await expectBooked(deployment, shop, paid)
  return {}
}

/** Settled outside and taken back, then assigned to its user: whoever dies over it, the merchant is told once. */
async function assignWithDeaths({ deployment }: Scene, nth: number): Promise<Injected> {
  const shop = deployment.shops[0]!
  const user = `assigned-${nth}`
  const paid = await payUnclaimed(deployment, shop, user)
  const { rows } = await deployment.pool.query(
    'select transfer_id as id from report.transfers where address = $1',
    [paid.address],
  )
  const id = `${rows[0].id}`
  const expectState = async (state: string) => {
    const found = await deployment.pool.query('select state from report.transfers where transfer_id = $1', [
      id,
    ])
    if (found.rows[0].state !== state) throw new Error(`it is ${found.rows[0].state}, not ${state}`)
  }
  const because = ['--reason', 'the payer wrote us']
  const settle = ['unclaimed', 'settle', id, ...because]
  await dieInCommand(deployment, 'decision:before-commit', ...settle)
  await expectState('unclaimed')
  await dieInCommand(deployment, 'decision:after-commit', ...settle)
  await expectState('settled_outside')
  await runCommand(deployment, ...settle)
  const marks = await deployment.pool.query(
    'select mark_id as id from report.money_marks where transfer_id = $1',
    [id],
  )
  if (marks.rowCount !== 1) throw new Error(`${marks.rowCount} marks instead of one`)
  const withdraw = ['marks', 'withdraw', `${marks.rows[0].id}`, ...because]
  await dieInCommand(deployment, 'decision:before-commit', ...withdraw)
  await expectState('settled_outside')
  await dieInCommand(deployment, 'decision:after-commit', ...withdraw)
  await expectState('unclaimed')
  await runCommand(deployment, ...withdraw)
  await runCommand(deployment, 'merchant', 'set', shop.appid, '--deposits', 'on')
  const assign = ['unclaimed', 'assign', id, '--user', user, ...because]
  await dieInCommand(deployment, 'credit:after-credits', ...assign)
  await dieInCommand(deployment, 'decision:before-commit', ...assign)
  await expectDeposits(deployment, paid.address, 0)
  await dieInCommand(deployment, 'decision:after-commit', ...assign)
  await runCommand(deployment, ...assign)
  await expectBooked(deployment, shop, paid)
  return { count: 7 }
}

/** Pays a user without orders while deposits are off. */
async function payUnclaimed(deployment: Deployment, shop: Shop, localusermark: string): Promise<Paid> {
  await runCommand(deployment, 'merchant', 'set', shop.appid, '--deposits', 'off')
  const paid = await payUser(deployment, shop, localusermark)
  await patiently('it to be unclaimed', async () => {
    const { rowCount } = await deployment.pool.query(
      `select from report.waiting_transfers where address = $1 and reason = 'unclaimed'`,
      [paid.address],
    )
    return rowCount === 1
  })
  return paid
}

interface Paid {
  address: string
  units: bigint
}

/** Pays a user without orders, and waits until that is solidified. */
async function payUser(deployment: Deployment, shop: Shop, localusermark: string): Promise<Paid> {
  const reply = await patiently('an address', async () => {
    const asked = await askGateway(deployment, shop, 'newAddress', { username: 'u', localusermark })
    return asked?.answer.data?.address
  })
  const paid = { address: reply, units: 3_000_050n }
  await tellSandbox(deployment.sandboxUrl, 'send', { to: paid.address, amount: formatUsdt(paid.units) })
  const headOf = async () => {
    const state = await (await fetch(`${deployment.sandboxUrl}/sandbox/state`)).json()
    return (state as { head: { height: number } }).head.height
  }
  const sentAt = await headOf()
  await patiently('its block to be solidified', async () => (await headOf()) > sentAt + 4)
  return paid
}

async function expectDeposits({ pool }: Deployment, address: string, count: number): Promise<void> {
  const { rowCount } = await pool.query('select from report.deposits where address = $1', [address])
  if (rowCount !== count) throw new Error(`${rowCount} deposits at ${address}, not ${count}`)
}

/** Its merchant has been told of it, under one key. */
async function expectBooked(deployment: Deployment, shop: Shop, { address, units }: Paid): Promise<void> {
  const told = () => shop.receipts.filter(({ fields }) => fields.deposit_address === address)
  await patiently('the deposit to be announced', () => told().some(one => one.acknowledged))
  await expectDeposits(deployment, address, 1)
  const keys = new Set(told().map(({ key }) => key))
  const amounts = new Set(told().map(({ fields }) => fields.deposit_amount))
  if (keys.size !== 1 || amounts.size !== 1 || !amounts.has(`${units / 100n}`))
    throw new Error(`announced under ${[...keys]} as ${[...amounts]}`)
}

import { randomBytes } from 'node:crypto'
import type { FailpointName } from '../../src/base/failpoint.ts'
import { formatUsdt } from '../../src/base/money.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
import { patiently, type World } from './fault-world.ts'
import { dieInCommand, runCommand } from './gateway-command.ts'
import { tellSandbox } from './paying-load.ts'

// K2 too: commands that write, killed in the middle and run again.

export const commandRows: readonly FaultRow[] = [
  {
    id: 'K2',
    what: 'gateway migrate killed before and after each commit, and run again',
    failpoints: ['migrate:before-commit', 'migrate:after-commit'],
    settings: { notMigrated: true },
    times: 1,
    prepare: migrateWithDeaths,
    // It has happened by now: what follows shows that what came of it is whole.
    inject: async ({ world }) => ({ count: migrationDeaths.get(world)! }),
  },
  {
    id: 'K2',
    what: 'gateway address import killed while it reads blocks again and before its commit, and run again',
    failpoints: ['block:after-decode', 'rescan:before-commit'],
    inject: importWithDeath,
  },
  {
    id: 'K2',
    what: 'gateway quarantine retry killed before its commit, and run again',
    failpoints: ['quarantine:before-commit'],
    inject: retryWithDeath,
  },
  {
    id: 'K2',
    what: 'gateway quarantine reject and reopen killed before and after their commits, and run again',
    failpoints: ['decision:before-commit', 'decision:after-commit'],
    inject: decideWithDeaths,
  },
]

const migrationDeaths = new WeakMap<World, number>()

async function migrateWithDeaths(world: World): Promise<void> {
  let deaths = 0
  const dies = (failpoint: FailpointName) =>
    dieInCommand(world, failpoint, 'migrate').then(
      () => ++deaths,
      () => null, // There was nothing left to apply.
    )
  while ((await dies('migrate:before-commit')) && (await dies('migrate:after-commit')));
  await runCommand(world, 'migrate')
  migrationDeaths.set(world, deaths)
  await world.begin()
}

/** An address of somebody's own is paid before we know it; the import counts that, once. */
async function importWithDeath({ world, load }: Scene, nth: number): Promise<Injected> {
  const shop = world.shops[0]!
  const user = `imported-${nth}`
  const address = addressFromBytes(randomBytes(20))
  const paidBefore = 5_000_000n + BigInt(nth)
  await tellSandbox(world.sandboxUrl, 'send', { to: address, amount: formatUsdt(paidBefore) })
  const { head } = await sandboxState(world)
  await patiently('its block', async () => (await cursorHeight(world)) >= head.height + 3)
  const from = ['--from-block', `${head.height}`]
  const command = ['address', 'import', '--appid', shop.appid, '--localusermark', user, ...from, address]
  await dieInCommand(world, 'block:after-decode', ...command)
  await dieInCommand(world, 'rescan:before-commit', ...command)
  await runCommand(world, ...command)
  load.begin(shop, { user, address, parts: [], paidBefore })
  return { count: 2 }
}

/** A log that nobody can read stays parked, whoever dies over it. */
async function retryWithDeath({ world }: Scene): Promise<Injected> {
  const parked = await parkLog(world)
  await dieInCommand(world, 'quarantine:before-commit', 'quarantine', 'retry', `${parked}`)
  await runCommand(world, 'quarantine', 'retry', `${parked}`)
  return {}
}

/** Before the commit nothing has happened, after it the decision stands; run again it is decided once. */
async function decideWithDeaths({ world }: Scene): Promise<Injected> {
  const parked = await parkLog(world)
  const rejections = async () => {
    const { rowCount } = await world.pool.query('select from rejection where quarantine_id = $1', [parked])
    return rowCount
  }
  const expect = async (count: number, when: string) => {
    if ((await rejections()) !== count) throw new Error(`not ${count} rejections of ${parked} ${when}`)
  }
  const command = (name: string) => ['quarantine', name, `${parked}`, '--reason', 'a test']
  await dieInCommand(world, 'decision:before-commit', ...command('reject'))
  await expect(0, 'when it died before its commit')
  await dieInCommand(world, 'decision:after-commit', ...command('reject'))
  await expect(1, 'when it died after its commit')
  await runCommand(world, ...command('reject'))
  await dieInCommand(world, 'decision:before-commit', ...command('reopen'))
  await expect(1, 'when reopening died before its commit')
  await dieInCommand(world, 'decision:after-commit', ...command('reopen'))
  await runCommand(world, ...command('reopen'))
  await expect(0, 'when it was reopened')
  await runCommand(world, ...command('reject'))
  const { rows } = await world.pool.query(
    `select action from audit_event where subject = 'quarantine ' || $1 order by id`,
    [parked],
  )
  const actions = rows.map(({ action }) => action).join()
  if (actions !== 'quarantine.rejected,quarantine.reopened,quarantine.rejected')
    throw new Error(`audited as ${actions}`)
  return { count: 4 }
}

async function parkLog(world: World): Promise<bigint> {
  const { rows } = await world.pool.query('select address from deposit_address limit 1')
  await tellSandbox(world.sandboxUrl, 'call', { logs: [{ kind: 'short-data', to: rows[0].address }] })
  return await patiently('it to be parked', async () => {
    const { rows } = await world.pool.query(
      'select id from quarantine where resolved_at is null order by id desc limit 1',
    )
    return rows[0]?.id as bigint | undefined
  })
}

async function cursorHeight({ pool }: World): Promise<number> {
  const { rows } = await pool.query<{ height: number }>('select height from chain_cursor')
  return rows[0]?.height ?? 0
}

async function sandboxState({ sandboxUrl }: World): Promise<{ head: { height: number } }> {
  return (await fetch(`${sandboxUrl}/sandbox/state`)).json() as Promise<{ head: { height: number } }>
}

import { randomBytes } from 'node:crypto'
import type { FailpointName } from '../../src/base/failpoint.ts'
import { formatUsdt } from '../../src/base/money.ts'
import { addressFromBytes } from '../../src/tron/address.ts'
import { type Deployment, patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
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
    inject: async ({ deployment }) => ({ count: migrationDeaths.get(deployment)! }),
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

const migrationDeaths = new WeakMap<Deployment, number>()

async function migrateWithDeaths(deployment: Deployment): Promise<void> {
  let deaths = 0
  const dies = (failpoint: FailpointName) =>
    dieInCommand(deployment, failpoint, 'migrate').then(
      () => ++deaths,
      () => null, // There was nothing left to apply.
    )
  while ((await dies('migrate:before-commit')) && (await dies('migrate:after-commit')));
  await runCommand(deployment, 'migrate')
  migrationDeaths.set(deployment, deaths)
  await deployment.begin()
}

/** An address of somebody's own is paid before we know it; the import counts that, once. */
async function importWithDeath({ deployment, load }: Scene, nth: number): Promise<Injected> {
  const shop = deployment.shops[0]!
  const user = `imported-${nth}`
  const address = addressFromBytes(randomBytes(20))
  const paidBefore = 5_000_000n + BigInt(nth)
  await tellSandbox(deployment.sandboxUrl, 'send', { to: address, amount: formatUsdt(paidBefore) })
  const { head } = await sandboxState(deployment)
  await patiently('its block', async () => (await cursorHeight(deployment)) >= head.height + 3)
  const from = ['--from-block', `${head.height}`]
  const command = ['address', 'import', '--appid', shop.appid, '--localusermark', user, ...from, address]
  await dieInCommand(deployment, 'block:after-decode', ...command)
  await dieInCommand(deployment, 'rescan:before-commit', ...command)
  await runCommand(deployment, ...command)
  load.begin(shop, { user, address, parts: [], paidBefore })
  return { count: 2 }
}

/** A log that nobody can read stays quarantined, whoever dies over it. */
async function retryWithDeath({ deployment }: Scene): Promise<Injected> {
  const id = await quarantineLog(deployment)
  await dieInCommand(deployment, 'quarantine:before-commit', 'quarantine', 'retry', id)
  await runCommand(deployment, 'quarantine', 'retry', id)
  return {}
}

/** Before the commit nothing has happened, after it the decision stands. Run again it is decided once. */
async function decideWithDeaths({ deployment }: Scene): Promise<Injected> {
  const id = await quarantineLog(deployment)
  const expectRejections = async (count: number, when: string) => {
    const { rowCount } = await deployment.pool.query('select from rejection where quarantine_id = $1', [id])
    if (rowCount !== count) throw new Error(`${rowCount} rejections of ${id} ${when}, not ${count}`)
  }
  const command = (name: string) => ['quarantine', name, id, '--reason', 'nobody can read it']
  await dieInCommand(deployment, 'decision:before-commit', ...command('reject'))
  await expectRejections(0, 'after a death before the commit')
  await dieInCommand(deployment, 'decision:after-commit', ...command('reject'))
  await expectRejections(1, 'after a death after the commit')
  await runCommand(deployment, ...command('reject'))
  await dieInCommand(deployment, 'decision:before-commit', ...command('reopen'))
  await expectRejections(1, 'after a death before reopening was committed')
  await dieInCommand(deployment, 'decision:after-commit', ...command('reopen'))
  await runCommand(deployment, ...command('reopen'))
  await expectRejections(0, 'after it was reopened')
  await runCommand(deployment, ...command('reject'))
  const { rows } = await deployment.pool.query(
    `select string_agg(action, ', ' order by id) as actions from audit_event where subject = 'quarantine ' || $1`,
    [id],
  )
  const { actions } = rows[0]
  if (actions !== 'quarantine.rejected, quarantine.reopened, quarantine.rejected')
    throw new Error(`audited as ${actions}`)
  return { count: 4 }
}

/** Has a node serve a log that cannot be decoded. @returns its id in quarantine. */
async function quarantineLog(deployment: Deployment): Promise<string> {
  const { rows } = await deployment.pool.query('select address from deposit_address limit 1')
  await tellSandbox(deployment.sandboxUrl, 'call', { logs: [{ kind: 'short-data', to: rows[0].address }] })
  const id = await patiently('it to be quarantined', async () => {
    const { rows } = await deployment.pool.query(
      'select id from quarantine where resolved_at is null order by id desc limit 1',
    )
    return rows[0]?.id as bigint | undefined
  })
  return `${id}`
}

async function cursorHeight({ pool }: Deployment): Promise<number> {
  const { rows } = await pool.query<{ height: number }>('select height from chain_cursor')
  return rows[0]?.height ?? 0
}

async function sandboxState({ sandboxUrl }: Deployment): Promise<{ head: { height: number } }> {
  return (await fetch(`${sandboxUrl}/sandbox/state`)).json() as Promise<{ head: { height: number } }>
}

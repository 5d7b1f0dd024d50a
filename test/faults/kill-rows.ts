import { setTimeout as sleep } from 'node:timers/promises'
import type { FailpointName } from '../../src/base/failpoint.ts'
import { sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { type Deployment, type DeploymentSettings, patiently } from './deployment.ts'
import type { FaultRow, Injected } from './fault-row.ts'
import { dieAt, type RoleProcess } from './role-process.ts'

// K1 to K3: a process killed between two steps, at the place named; it is started again at once.

type Of = (deployment: Deployment) => RoleProcess
const api: Of = deployment => deployment.api
const watcher: Of = deployment => deployment.watchers[0]!
const courier: Of = deployment => deployment.couriers[0]!

/** @param passings at the latest: what comes with every block is passed often, what comes with a payment less so. */
function killed(
  id: string,
  role: Of,
  point: FailpointName,
  { passings = 4, ...more }: Partial<FaultRow> & { passings?: number } = {},
): FaultRow {
  const [name, place] = point.split(':') as [string, string]
  const where = `${place.replaceAll('-', ' ')} (${name})`
  const queue = more.settings?.queue ? `, queue on ${more.settings.queue}` : ''
  return {
    id,
    what: `${{ K1: 'api', K2: 'watcher', K3: 'courier' }[id]} killed ${where}${queue}`,
    failpoints: [point],
    inject: async ({ deployment, whole }) => ({
      at: await dieAt(role(deployment), point, whole(1, passings)),
    }),
    ...more,
  }
}

const orderPoints = [
  'address:before-commit',
  'address:after-commit',
  'order:before-insert',
  'order:after-commit',
] as const
const blockPoints = [
  'block:after-fetch',
  'block:after-decode',
  'credit:after-cursor',
  'credit:after-transfers',
] as const
const creditPoints = [
  'credit:after-credits',
  'callback:before-notify',
  'credit:before-commit',
  'credit:after-commit',
] as const
const settlePoints = ['settle:after-reading', 'settle:before-commit'] as const
const heldPoints = ['held:after-confirm', 'held:before-commit'] as const
const courierPoints = [
  'courier:after-settle',
  'courier:after-lease',
  'courier:after-enqueue',
  'courier:before-renew',
  'courier:before-send',
  'courier:after-send',
  'courier:after-record',
] as const

/** Some payments wait for a second node. */
const held: Partial<DeploymentSettings> = { quorumAmount: '2.5' }

/** No payment is signed as a transfer, so each waits until the second of two nodes shows it. */
const unsigned: Partial<DeploymentSettings> = { quorumAmount: '1000000', through: sandboxAddresses.router }

export const killRows: readonly FaultRow[] = [
  ...orderPoints.map(point => killed('K1', api, point)),
  {
    id: 'K1',
    what: 'api killed while its insert runs in Postgres, which then commits it',
    inject: killDuringInsert,
  },
  killed('K2', watcher, 'lease:after-take', { passings: 1 }),
  ...blockPoints.map(point => killed('K2', watcher, point, { passings: 20 })),
  ...creditPoints.map(point => killed('K2', watcher, point)),
  ...heldPoints.map(point => killed('K2', watcher, point, { settings: held })),
  ...settlePoints.map(point => killed('K2', watcher, point, { settings: unsigned })),
  ...(['redis', 'postgres'] as const).flatMap(queue =>
    courierPoints.map(point => killed('K3', courier, point, { mayRepeat: true, settings: { queue } })),
  ),
  {
    id: 'K6',
    what: 'any process killed at any moment, ten times in a row',
    mayRepeat: true,
    inject: killAtRandom,
  },
  { id: 'K7', what: 'any process told to stop (SIGTERM), under load', inject: stopEach },
]

/** After the insert and before the commit, which is a moment within Postgres: a lock holds it there. */
async function killDuringInsert({
  deployment: { pool, api },
}: {
  deployment: Deployment
}): Promise<Injected> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('lock table recharge_order in share mode')
    await patiently('an insert that waits', async () => {
      const { rows } = await pool.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%insert into recharge_order%' and pid <> pg_backend_pid()`,
      )
      return rows.length > 0
    })
    const { at } = await api.kill()
    await client.query('commit')
    await api.start()
    return { at }
  } finally {
    client.release()
  }
}

async function killAtRandom({
  deployment,
  whole,
}: {
  deployment: Deployment
  whole(min: number, max: number): number
}) {
  const roles = deployment.roles()
  let at = 0
  for (let kills = 0; kills < 10; kills++) {
    const role = roles[whole(0, roles.length - 1)]!
    at = (await role.kill()).at
    const starting = role.start()
    await sleep(whole(500, 3_000))
    await starting
  }
  return { at, count: 10 }
}

/** What it may take over what is in hand: an attempt has 10 s, and a second to record it. */
const stopWithinMs = 12_000

async function stopEach({
  deployment,
  load,
}: {
  deployment: Deployment
  load: { later: number }
}): Promise<Injected> {
  const later = load.later
  const roles = deployment.roles()
  for (const role of roles) {
    const askedAt = Date.now()
    const { code, signal, at } = await role.stop()
    if (code !== 0) throw new Error(`${role.name}, told to stop, ended with ${code ?? signal}`)
    if (at - askedAt > stopWithinMs) throw new Error(`${role.name} took ${at - askedAt} ms to stop`)
    await role.start()
  }
  // No connection is what a balancer is for; an answer that says no is what must not be.
  if (load.later > later) throw new Error(`${load.later - later} orders were answered with "later"`)
  return { count: roles.length }
}

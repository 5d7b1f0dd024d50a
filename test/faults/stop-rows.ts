import type { FailpointName } from '../../src/base/failpoint.ts'
import { patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
import { isSettled } from './paying-load.ts'
import type { RoleProcess } from './role-process.ts'

// K4 and K5: two of a kind, of which one is stopped past its lease and goes on later as if nothing had been, or dies.

export const stopRows: readonly FaultRow[] = [
  ...(['courier:before-renew', 'courier:before-send', 'courier:after-send'] as const).map(
    (point): FaultRow => ({
      id: 'K4',
      what: `courier stopped ${words(point)} past its lease, then continued; another delivers`,
      settings: { couriers: 2 },
      times: 1,
      mayRepeat: true,
      inject: scene => stopAndContinue(scene, scene.deployment.couriers[0]!, point),
    }),
  ),
  {
    id: 'K5',
    what: 'leading watcher killed, another takes over',
    settings: { watchers: 2 },
    inject: async ({ deployment }) => {
      const leader = await leading(deployment.watchers)
      const { at } = await leader.kill()
      await leading(deployment.watchers.filter(one => one !== leader))
      await leader.start()
      return { at }
    },
  },
  ...(['block:after-decode', 'credit:before-commit', 'credit:after-commit'] as const).map(
    (point): FaultRow => ({
      id: 'K5',
      what: `leading watcher stopped ${words(point)} past its lease, then continued; another leads`,
      settings: { watchers: 2 },
      times: 1,
      inject: async scene => {
        const [leader, standby] = scene.deployment.watchers as [RoleProcess, RoleProcess]
        await standby.stop()
        return stopAndContinue(scene, leader, point, standby.start)
      },
    }),
  ),
]

function words(point: FailpointName): string {
  return point.split(':')[1]!.replaceAll('-', ' ')
}

/** Continued only when all that was begun before has been settled without it. */
async function stopAndContinue(
  { load }: Scene,
  role: RoleProcess,
  point: FailpointName,
  startOther: () => Promise<void> = async () => undefined,
): Promise<Injected> {
  await role.stop()
  await role.start({ FAILPOINT: `${point}@3:stop` })
  await patiently('it to stop itself', () => role.said().includes(`failpoint ${point} stop`), 60_000)
  await startOther()
  const at = Date.now()
  try {
    await patiently(
      'the other to settle all of it',
      () => load.orders.every(order => order.begunAt > at || isSettled(order)),
      120_000,
    )
  } finally {
    role.signal('SIGCONT')
  }
  return { at, note: `without it after ${((Date.now() - at) / 1000).toFixed(1)} s` }
}

/** The one that has taken the lease and not left it. */
function leading(watchers: readonly RoleProcess[]): Promise<RoleProcess> {
  const leads = ({ running, said }: RoleProcess) =>
    running && said().lastIndexOf('lease.taken') > said().lastIndexOf('lease.left')
  return patiently('a watcher to lead', () => watchers.find(leads), 60_000)
}

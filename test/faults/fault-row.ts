import type { FailpointName } from '../../src/base/failpoint.ts'
import { seededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import type { BreakablePostgres, DatabaseSource } from './breakable-postgres.ts'
import { compareBooks, type FaultSpan, type Findings } from './compare-books.ts'
import { type Deployment, type DeploymentSettings, openDeployment, patiently } from './deployment.ts'
import { isSettled, type PayingLoad, startPayingLoad } from './paying-load.ts'

/** A row of the matrix: a fault, and how it is brought about. */
export interface FaultRow {
  /** As in the matrix: K1, R2, M7. */
  id: string
  what: string
  settings?: Partial<DeploymentSettings>
  /** Where in the code it strikes, when it does so by name. */
  failpoints?: readonly FailpointName[]
  /** How often it is injected in a run that does not say; most rows leave it to the run. */
  times?: number
  /** Whether a callback may come again after its acknowledgement, once for each fault. */
  mayRepeat?: boolean
  /** Up to which amount, in base units, a transfer may be recorded that never happened: by the only host's word. */
  byOneWord?: bigint
  /** From one order to the next. Default 150. */
  everyMs?: number
  /** It strikes while the processes start, or is there by then: no payment is waited for before it. */
  atOnce?: boolean
  /** Before the load begins. */
  prepare?(deployment: Deployment): Promise<void>
  /** Brings the fault about once; resolves when it is over. The load goes on meanwhile. */
  inject(scene: Scene, nth: number): Promise<Injected>
  /** What else must hold at the end. @throws Error saying what does not. */
  holds?(scene: Scene): Promise<void>
}

/** What an injection says of itself; nothing, as a rule. */
export interface Injected {
  /** When it struck, where recovery is to be counted from that and not from its end. */
  at?: number
  /** How many faults it was; one, unless it says so. */
  count?: number
  /** Something to be shown beside the figures. */
  note?: string
}

/** What a fault is brought about in. */
export interface Scene {
  deployment: Deployment
  load: PayingLoad
  /** A number for this injection, by the seed, both ends included. */
  whole(min: number, max: number): number
  /** The server, where the run has one of its own. */
  postgres: BreakablePostgres | null
}

export interface RowResult {
  row: FaultRow
  injected: number
  payments: number
  findings: Findings
  /** From each fault (of an outage: its end) until all that was begun before was paid, credited and booked. */
  recoveryMs: number[]
  notes: string[]
  /** How long the processes took to start: part of every recovery from a kill. */
  startMs: number[]
  /** What the processes said, for when something is wrong. */
  logs: Record<string, string>
}

/** Until what a fault held up must be through. The longest lease is 30 s, an attempt takes 10 s, its retry comes after 5 s. */
const recoveryDeadlineMs = 180_000

/** Runs a row on a deployment of its own: load, faults, recovery from each; then everything is drained and compared. */
export async function runRow(
  row: FaultRow,
  run: {
    program: readonly string[]
    databases: DatabaseSource
    postgres: BreakablePostgres | null
    queue: 'redis' | 'postgres'
    times: number
    seed: number
  },
): Promise<RowResult> {
  const random = seededRandom(run.seed)
  const deployment = await openDeployment(run.program, run.databases, { queue: run.queue, ...row.settings })
  try {
    await row.prepare?.(deployment)
    const load = startPayingLoad(deployment, seededRandom(run.seed + 1), row.everyMs ?? 150)
    const scene: Scene = { deployment, load, whole: random.whole, postgres: run.postgres }
    const faults: FaultSpan[] = []
    const recoveryMs: number[] = []
    const notes: string[] = []
    const trouble: string[] = []
    const noting = async <T>(work: Promise<T>) =>
      work.catch(error => void trouble.push((error as Error).message))
    const first = () => load.orders.filter(isSettled).length >= 5
    if (!row.atOnce) await noting(patiently('the first payments', first, 120_000))
    const times = row.times ?? run.times
    for (let nth = 1; nth <= times && trouble.length === 0; nth++) {
      const span = { from: Date.now(), to: Number.POSITIVE_INFINITY, count: 1 }
      faults.push(span)
      const { at = Date.now(), count = 1, note } = (await noting(row.inject(scene, nth))) ?? {}
      span.count = count
      if (note) notes.push(note)
      await noting(settled(load, Date.now()))
      span.to = Date.now()
      recoveryMs.push(span.to - at)
    }
    await load.stop()
    await noting(settled(load, Date.now()))
    if (row.holds) await noting(row.holds(scene))
    const findings = await compareBooks({
      ...deployment,
      orders: load.orders,
      faults,
      byOneWord: row.byOneWord,
    })
    findings.wrong.push(...trouble, ...load.wrong, ...deadRoles(deployment), ...(await audit(deployment)))
    if (!row.mayRepeat && findings.sentAgain > 0)
      findings.unexcused.push(
        `${findings.sentAgain} sent again, and nothing that was done to this row explains it`,
      )
    const injected = faults.reduce((sum, fault) => sum + fault.count, 0)
    const payments = load.orders.reduce((sum, order) => sum + order.payments, 0)
    const startMs = deployment.roles().flatMap(role => role.startMs)
    const logs = Object.fromEntries(deployment.roles().map(role => [role.name, role.output()]))
    return { row, injected, payments, findings, recoveryMs, notes, startMs, logs }
  } finally {
    await deployment.close()
  }
}

/** Waits until all that was begun before a time is paid, credited and booked. */
async function settled(load: PayingLoad, before: number): Promise<void> {
  const waiting = () => load.orders.filter(order => order.begunAt <= before && !isSettled(order))
  try {
    await patiently('the orders to be settled', () => waiting().length === 0, recoveryDeadlineMs)
  } catch (cause) {
    const some = waiting()
      .slice(0, 3)
      .map(order => order.orderid)
    throw new Error(`${waiting().length} orders unsettled after ${recoveryDeadlineMs} ms: ${some}`, { cause })
  }
}

/** The gateway's own comparison must agree. @returns what it found wrong. */
async function audit(deployment: Deployment): Promise<string[]> {
  const command = deployment.command('audit', 'audit')
  await command.start()
  const { code } = await command.ended()
  return code === 0 ? [] : [`gateway audit ended with ${code}: ${command.output().slice(0, 2_000)}`]
}

/** Whoever died was started again; one that is not there now has ended by itself. */
function deadRoles(deployment: Deployment): string[] {
  const dead = deployment.roles().filter(role => !role.running)
  return dead.map(role => `${role.name} ended by itself: ${role.output().slice(-1_000)}`)
}

/** Whether a row showed what it must not. */
export function isBroken({ findings }: RowResult): boolean {
  const { lost, doubled, unexcused, wrong } = findings
  return lost.length + doubled.length + unexcused.length + wrong.length > 0
}

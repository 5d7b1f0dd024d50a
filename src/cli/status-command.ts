import type { Command } from 'commander'
import { type AlarmName, firstSteps, meanings } from '../alarms/alarm.ts'
import { raisedAlarms } from '../alarms/alarm-store.ts'
import { hasLeader, workingRoles } from '../alarms/process-store.ts'
import { productVersion } from '../base/version.ts'
import { type GatewayStatus, readStatus } from '../credits/read-status.ts'
import type { Queryable } from '../db/pool.ts'
import { printTable } from './print-table.ts'
import { withDatabase } from './with-database.ts'

/** What the command adds to the status: what the processes have said of themselves. */
interface Running {
  /** Roles of which a process works. */
  working: string[]
  leads: boolean
  /** Those that can be told from the database, and those that processes have raised. */
  alarms: AlarmName[]
}

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description(
      'print how the gateway is: processes, cursor, nodes and their quotas, what waits, alarms and what to do; asks the database alone',
    )
    .option('--json', 'print an object')
    .action(async (options: { json?: true }) => {
      await withDatabase('command', async pool => {
        const status = await readStatus(pool, new Date())
        const running = status && (await readRunning(pool, status))
        if (options.json)
          console.log(JSON.stringify(status && { ...status, ...running, warnings: textsOf(status) }, null, 2))
        else if (!status || !running) console.log('nothing is watched yet: run `gateway start watcher` first')
        else print({ ...status, ...running })
      })
    })
}

function textsOf({ warnings }: GatewayStatus): string[] {
  return warnings.map(({ text }) => text)
}

async function readRunning(db: Queryable, { alarms }: GatewayStatus): Promise<Running> {
  const raised = await raisedAlarms(db)
  return {
    working: await workingRoles(db),
    leads: await hasLeader(db),
    alarms: [...new Set<AlarmName>([...alarms, ...raised])],
  }
}

const roles = ['api', 'watcher', 'courier']

function print(status: Omit<GatewayStatus, 'alarms'> & Running): void {
  const { network, cursor, nodes, waiting, parked, alarms, warnings, working, leads } = status
  const { height, time, movedAt, blocksBehind } = cursor
  const missing = roles.filter(role => !working.includes(role))
  const silent = missing.length > 0 ? `; not within the last minute: ${missing.join(', ')}` : ''
  const { held, proof, quarantined, unclaimed } = waiting
  for (const [name, text] of [
    ['network', `${network}; this is version ${productVersion()}`],
    ['running', `${working.join(', ') || 'nothing'}${silent}${leads ? '' : '; no watcher leads'}`],
    [
      'cursor',
      `block ${height}${time ? ` of ${time}` : ''}, ${blocksBehind} blocks behind, moved ${movedAt}`,
    ],
    ['waiting', `${held} held, ${proof} for proof, ${quarantined} quarantined, ${unclaimed} unclaimed`],
    ...(parked.blocks > 0
      ? [['parked', `${parked.blocks} blocks that no node gives, from ${parked.lowest} to ${parked.highest}`]]
      : []),
    ['alarms', alarms.length > 0 ? alarms.join(', ') : 'none'],
    ...alarms.map(alarm => ['', `${alarm}: ${meanings[alarm]} Do: ${firstSteps[alarm]}`]),
    ...warnings.map(({ text }) => ['warning', text]),
  ]) {
    console.log(`${name!.padEnd(10)}${text}`)
  }
  if (nodes.length === 0) return
  printTable(
    nodes.map(({ node, transport, state, why, solidHeight, until, callsToday, quotaLeft }) => ({
      ...{ node, transport, state, solid: solidHeight, 'calls today': callsToday },
      'left today': quotaLeft ?? 'no quota',
      ...(state !== 'ok' && { why, until }),
    })),
  )
}

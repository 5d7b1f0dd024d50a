import type { Command } from 'commander'
import { type GatewayStatus, readStatus } from '../credits/read-status.ts'
import { withDatabase } from './with-database.ts'

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description(
      'print how the gateway is: cursor, nodes and their quotas, what waits, alarms; asks the database alone',
    )
    .option('--json', 'print an object')
    .action(async (options: { json?: true }) => {
      await withDatabase('command', async pool => {
        const status = await readStatus(pool, new Date())
        if (options.json) console.log(JSON.stringify(status, null, 2))
        else if (status === null) console.log('nothing is watched yet: run `gateway start watcher` first')
        else print(status)
      })
    })
}

function print({ network, cursor, nodes, waiting, alarms, warnings }: GatewayStatus): void {
  const { height, time, movedAt, blocksBehind } = cursor
  console.log(`network   ${network}`)
  console.log(
    `cursor    block ${height}${time ? ` of ${time}` : ''}, ${blocksBehind} blocks behind, moved ${movedAt}`,
  )
  const { held, proof, quarantined, unclaimed } = waiting
  console.log(
    `waiting   ${held} held, ${proof} for proof, ${quarantined} quarantined, ${unclaimed} unclaimed`,
  )
  console.log(`alarms    ${alarms.length > 0 ? alarms.join(', ') : 'none'}`)
  if (nodes.length > 0) {
    console.table(
      nodes.map(({ node, transport, state, why, solidHeight, until, callsToday, quotaLeft }) => ({
        ...{ node, transport, state, solid: solidHeight, 'calls today': callsToday },
        'left today': quotaLeft ?? 'no quota',
        ...(state !== 'ok' && { why, until }),
      })),
    )
  }
  for (const warning of warnings) console.log(`warning   ${warning}`)
}

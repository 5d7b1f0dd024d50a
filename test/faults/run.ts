import { mkdtemp, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compileGateway } from '../support/gateway-program.ts'
import { findOrInstall } from '../support/programs.ts'
import { startBreakablePostgres } from './breakable-postgres.ts'
import { type FaultRow, isBroken, type RowResult, runRow } from './fault-row.ts'
import { faultRows } from './fault-rows.ts'
import { complaints, tableHead, tableLine, tableSum } from './fault-table.ts'

// npm run test:faults [-- --only K3,R --times 3 --seed 1 --queue redis|postgres]: the fault matrix, on the processes as
// they are shipped. Ends with 1 when anything was lost or doubled, or sent again beyond the bound.
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    times: { type: 'string', default: '3' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    queue: { type: 'string', default: 'redis' },
    list: { type: 'boolean', default: false },
  },
})
const wanted = values.only.split(',').filter(Boolean)
/** By row (K3), by letter (K), or by a word of the fault. */
const rows = faultRows.filter(
  ({ id, what }) =>
    wanted.length === 0 || wanted.some(w => w === id || w === id[0] || (w.length > 2 && what.includes(w))),
)
if (rows.length === 0) throw new Error(`no row fits --only ${values.only}; --list shows them`)
const faultWidth = Math.max(...rows.map(({ what }) => what.length))
if (values.list) for (const { id, what } of rows) console.log(`${id.padEnd(4)}${what}`)
else process.exit(await run())

async function run(): Promise<number> {
  if (!findOrInstall('redis-server', 'redis-server')) throw new Error('redis-server is not on the PATH')
  const gateway = await compileGateway()
  if (!gateway) return 1
  const program = [process.execPath, gateway.path]
  const seed = Number.parseInt(values.seed, 10)
  console.log(`seed ${seed}, ${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}\n`)
  for (const line of tableHead(faultWidth)) console.log(line)
  const results: RowResult[] = []
  const postgres = await startBreakablePostgres()
  try {
    for (const row of rows) {
      const result = await runOne(row, { program, databases: postgres, postgres, seed })
      if (result) results.push(result)
      else process.exitCode = 1
    }
  } finally {
    await postgres.close()
    await gateway.remove()
  }
  console.log(`\n${tableSum(results)}`)
  return results.some(isBroken) || results.length < rows.length ? 1 : 0
}

/** @returns null when the row could not be run to its end. */
async function runOne(
  row: FaultRow,
  on: Pick<Parameters<typeof runRow>[1], 'program' | 'databases' | 'postgres' | 'seed'>,
): Promise<RowResult | null> {
  const queue = values.queue === 'postgres' ? 'postgres' : 'redis'
  const times = Number.parseInt(values.times, 10)
  try {
    // Its own, and the same whichever rows are run beside it.
    const seed = on.seed + faultRows.indexOf(row) * 1_000
    const result = await runRow(row, { ...on, queue, times, seed })
    console.log(tableLine(result, faultWidth))
    if (isBroken(result)) await tell(result, on.seed)
    return result
  } catch (error) {
    console.log(`| ${row.id} | ${row.what} | could not be run, with seed ${on.seed}:`, error)
    return null
  }
}

async function tell(result: RowResult, seed: number): Promise<void> {
  for (const complaint of complaints(result)) console.log(`  ${complaint}`)
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-broken-'))
  for (const [role, log] of Object.entries(result.logs)) await writeFile(join(folder, `${role}.log`), log)
  console.log(`  what the processes said: ${folder}; again with --only ${result.row.id} --seed ${seed}`)
}

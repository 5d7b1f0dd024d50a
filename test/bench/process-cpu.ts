import { readdirSync, readFileSync } from 'node:fs'
import type { Pool } from '../../src/db/pool.ts'

/** The kernel counts in hundredths of a second, whatever the machine (USER_HZ). */
const tickMicros = 10_000

interface ProcessFacts {
  parent: number
  ownMicros: number
  /** Of its children that have ended. */
  endedMicros: number
}

/**
 * CPU time, in microseconds, that a process and its children have used so far.
 * @returns NaN where there is no /proc.
 */
export function cpuMicros(pid: number): number {
  const facts = readFacts(pid)
  if (!facts) return Number.NaN
  const children = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => readFacts(Number(name)))
    .filter(child => child?.parent === pid)
  return (
    facts.ownMicros + facts.endedMicros + children.reduce((sum, child) => sum + (child?.ownMicros ?? 0), 0)
  )
}

/** The server that a pool's connections lead to: the parent of each of them. NaN where there is no /proc. */
export async function serverPid(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>(`select pg_backend_pid() as pid`)
  return readFacts(rows[0]!.pid)?.parent ?? Number.NaN
}

/** See proc(5), /proc/pid/stat: the name may contain anything, so it is counted from its closing bracket. */
function readFacts(pid: number): ProcessFacts | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const ticks = (first: number) => (fields[first]! + fields[first + 1]!) * tickMicros
    return { parent: fields[1]!, ownMicros: ticks(11), endedMicros: ticks(13) }
  } catch {
    // It has ended meanwhile, or this system has no /proc.
    return null
  }
}

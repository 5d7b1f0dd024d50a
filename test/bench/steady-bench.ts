import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Pool } from '../../src/db/pool.ts'
import { pacedLoad } from './http-load.ts'
import { connections, openOrderingShop, orderRequest, startOrderServer, users } from './ordering-shop.ts'

/** Long enough to see a slope, short enough to be generated in time. */
const sliceSeconds = 10

/**
 * The API's memory while orders come in at a steady rate.
 * @returns resident MiB after every ten seconds.
 */
export async function benchSteady(
  pool: Pool,
  url: string,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<{ residentMiB: number[]; p99: number }> {
  const shop = await openOrderingShop(pool, url)
  const { child, port } = await startOrderServer('durable', url)
  const residentMiB: number[] = []
  let p99 = 0
  try {
    for (let slice = 0; slice < seconds / sliceSeconds; slice++) {
      const requests = Array.from({ length: perSecond * sliceSeconds }, (_, n) =>
        orderRequest(shop, port, `steady-${slice}-${n}`, n % users),
      )
      const result = await pacedLoad({ port, connections, perSecond, requests })
      assert.deepEqual(result.statuses, { 200: requests.length }, result.firstFailure ?? '')
      p99 = Math.max(p99, result.p99)
      residentMiB.push(residentMiBOf(child.pid!))
    }
  } finally {
    child.kill()
  }
  return { residentMiB, p99 }
}

/** NaN where there is no /proc. */
function residentMiBOf(pid: number): number {
  try {
    return Math.round(
      Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024,
    )
  } catch {
    return Number.NaN
  }
}

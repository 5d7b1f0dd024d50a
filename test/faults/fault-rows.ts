import { commandRows } from './command-rows.ts'
import { crowdingRows } from './crowding-rows.ts'
import { depositRows } from './deposit-rows.ts'
import { dumpRow } from './dump-row.ts'
import { failoverRows } from './failover-rows.ts'
import type { FaultRow } from './fault-row.ts'
import { killRows } from './kill-rows.ts'
import { liarRows } from './liar-rows.ts'
import { merchantRows } from './merchant-rows.ts'
import { nodeRows } from './node-rows.ts'
import { postgresRows, redisRows } from './server-rows.ts'
import { silenceRows } from './silence-rows.ts'
import { stopRows } from './stop-rows.ts'

/** The matrix, in the order of its table. */
export const faultRows: readonly FaultRow[] = [
  ...killRows,
  ...commandRows,
  ...depositRows,
  ...stopRows,
  ...redisRows,
  ...postgresRows,
  dumpRow,
  ...failoverRows,
  ...nodeRows,
  ...merchantRows,
  ...crowdingRows,
  ...liarRows,
  ...silenceRows,
].sort((a, b) => rank(a.id) - rank(b.id))

/** K, R, P, N, M, L; in each by number. */
function rank(id: string): number {
  return 'KRPNML'.indexOf(id[0]!) * 100 + Number.parseInt(id.slice(1), 10)
}

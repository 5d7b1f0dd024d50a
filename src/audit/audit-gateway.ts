import { UsageError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import type { Pool } from '../db/pool.ts'
import { announcementChecks } from './announcement-checks.ts'
import type { AuditChecks, AuditScope, CheckResult, Difference } from './audit-check.ts'
import { chainChecks, counterChecks } from './chain-checks.ts'
import { deliveryChecks } from './delivery-checks.ts'
import { orderChecks, transferChecks } from './ledger-checks.ts'
import { markChecks } from './mark-checks.ts'
import { type MerchantSums, readSums, sumsChecks } from './merchant-sums.ts'
import { type OpenFigures, readOpenFigures } from './open-figures.ts'
import { proofChecks } from './proof-checks.ts'
import { inSnapshot, type SnapshotRead } from './read-snapshot.ts'
import { trailChecks } from './trail-checks.ts'

/** An audit's results, all from one moment. */
export interface AuditReport {
  merchants: MerchantSums[]
  /** What waits for a person or for time. These are not differences. */
  open: OpenFigures
  checks: CheckResult[]
}

const queries: readonly AuditChecks[] = [
  transferChecks,
  proofChecks,
  orderChecks,
  announcementChecks,
  deliveryChecks,
  sumsChecks,
  markChecks,
  chainChecks,
  counterChecks,
  trailChecks,
]

/** How many differences of each check are listed. All are counted. */
const firstMax = 10

/**
 * Checks that the database keeps the gateway's promise: credits equal transfers, orders equal their credits, callbacks
 * announce what is to be announced, under the right keys, and are on their way. Reads one snapshot and writes nothing, so it
 * can run at any time beside everything else.
 * @param appid one merchant's rows only; null: every merchant's. @param dueMaxS as in `AuditScope`.
 * @throws UsageError for an unknown appid.
 */
export async function auditGateway(
  pool: Pool,
  { appid, dueMaxS }: { appid: string | null; dueMaxS: number },
): Promise<AuditReport> {
  return await inSnapshot(pool, async read => {
    const scope = { merchantId: appid === null ? null : await findMerchant(read, appid), dueMaxS }
    const checks: CheckResult[] = []
    for (const query of queries) checks.push(...(await runChecks(read, query, scope)))
    return { merchants: await readSums(read, scope), open: await readOpenFigures(read), checks }
  })
}

async function findMerchant(read: SnapshotRead, appid: string): Promise<MerchantId> {
  const [found] = await read<{ id: MerchantId }>(`select id from merchant where appid = $1`, [appid])
  if (!found) throw new UsageError(`no merchant has the appid "${appid}"`)
  return found.id
}

async function runChecks(
  read: SnapshotRead,
  { holds, sql }: AuditChecks,
  scope: AuditScope,
): Promise<CheckResult[]> {
  const values: unknown[] = sql.includes('$2') ? [scope.merchantId, scope.dueMaxS] : [scope.merchantId]
  const rows = await read<Difference & { name: string; differences: bigint }>(
    `select check_name as name, appid, subject, detail, differences
       from (select d.*, count(*) over (partition by check_name) as differences,
                    row_number() over (partition by check_name order by appid, length(subject), subject) as place
               from (${sql}) d) counted
      where place <= ${firstMax}
      order by name, place`,
    values,
  )
  return Object.entries(holds).map(([name, sentence]) => {
    const found = rows.filter(row => row.name === name)
    return {
      name,
      holds: sentence,
      differences: Number(found[0]?.differences ?? 0),
      first: found.map(({ appid, subject, detail }) => ({ appid, subject, detail })),
    }
  })
}

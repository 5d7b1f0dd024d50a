import { UsageError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'
import { announcementChecks } from './announcement-checks.ts'
import type { AuditChecks, AuditScope, CheckResult, Difference } from './audit-check.ts'
import { chainChecks, counterChecks } from './chain-checks.ts'
import { deliveryChecks } from './delivery-checks.ts'
import { orderChecks, transferChecks } from './ledger-checks.ts'
import { type MerchantSums, readSums, sumsChecks } from './merchant-sums.ts'
import { type OpenFigures, readOpenFigures } from './open-figures.ts'
import { inSnapshot, type SnapshotRead } from './read-snapshot.ts'

/** What an audit found, at one moment. */
export interface AuditReport {
  merchants: MerchantSums[]
  /** What waits for a person or for time: no differences, but to be seen. */
  open: OpenFigures
  checks: CheckResult[]
}

const looks: readonly AuditChecks[] = [
  transferChecks,
  orderChecks,
  announcementChecks,
  deliveryChecks,
  sumsChecks,
  chainChecks,
  counterChecks,
]

/** Differences named of each check; the rest are counted. */
const firstMax = 10

/**
 * Proves, or disproves, that the database is what the promise says: credits equal transfers, orders equal their credits,
 * callbacks are what is to be announced, under their keys, and on their way. Reads one snapshot and writes nothing, so it
 * may run beside everything else at any time.
 * @param appid one merchant's rows alone; null: everybody's. @param dueMaxS as `AuditScope` has it.
 * @throws UsageError for an appid nobody has.
 */
export async function auditGateway(
  pool: Pool,
  { appid, dueMaxS }: { appid: string | null; dueMaxS: number },
): Promise<AuditReport> {
  return await inSnapshot(pool, async read => {
    const scope = { merchantId: appid === null ? null : await findMerchant(read, appid), dueMaxS }
    const checks: CheckResult[] = []
    for (const look of looks) checks.push(...(await runLook(read, look, scope)))
    return { merchants: await readSums(read, scope), open: await readOpenFigures(read), checks }
  })
}

async function findMerchant(read: SnapshotRead, appid: string): Promise<bigint> {
  const [found] = await read<{ id: bigint }>(`select id from merchant where appid = $1`, [appid])
  if (!found) throw new UsageError(`no merchant has the appid "${appid}"`)
  return found.id
}

async function runLook(read: SnapshotRead, look: AuditChecks, scope: AuditScope): Promise<CheckResult[]> {
  const values: unknown[] = look.sql.includes('$2') ? [scope.merchantId, scope.dueMaxS] : [scope.merchantId]
  const rows = await read<Difference & { name: string; differences: bigint }>(
    `select check_name as name, appid, subject, detail, differences
       from (select d.*, count(*) over (partition by check_name) as differences,
                    row_number() over (partition by check_name order by appid, subject) as place
               from (${look.sql}) d) counted
      where place <= ${firstMax}
      order by name, place`,
    values,
  )
  return Object.entries(look.checks).map(([name, holds]) => {
    const found = rows.filter(row => row.name === name)
    return {
      name,
      holds,
      differences: Number(found[0]?.differences ?? 0),
      first: found.map(({ appid, subject, detail }) => ({ appid, subject, detail })),
    }
  })
}

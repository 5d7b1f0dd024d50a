import type { AuditChecks, AuditScope } from './audit-check.ts'
import type { SnapshotRead } from './read-snapshot.ts'

/** A merchant's sums; of money in base units, but `announced` and `acknowledged` in 1/10000 USDT. */
export interface MerchantSums {
  appid: string
  name: string
  orders: bigint
  transfers: bigint
  /** All transfers to its addresses, and those of them that have no credit yet. */
  arrived: bigint
  waiting: bigint
  credited: bigint
  /** By its orders. */
  received: bigint
  announced: bigint
  acknowledged: bigint
  /** Callbacks neither acknowledged nor exhausted; and those that are exhausted. */
  due: bigint
  exhausted: bigint
}

/** The same sums, seen from four sides. */
export const sumsChecks: AuditChecks = {
  checks: {
    'merchant.sums':
      'per merchant, what arrived less what waits is what was credited and what its orders received',
  },
  sql: `
    select 'merchant.sums' as check_name, appid, 'merchant ' || appid as subject,
           arrived_units || ' units arrived, ' || waiting_units || ' of them wait, ' || credited_units
             || ' are credited, its orders received ' || received_units as detail
      from report.audit_merchants
     where (arrived_units - waiting_units <> credited_units or credited_units <> received_units)
       and ($1::bigint is null or merchant_id = $1)`,
}

/** Reads the sums of every merchant, or of one, in the order of their names. */
export async function readSums(read: SnapshotRead, scope: AuditScope): Promise<MerchantSums[]> {
  return await read(
    `select appid, name, orders, transfers, arrived_units as arrived, waiting_units as waiting,
            credited_units as credited, received_units as received, announced, acknowledged, due, exhausted
       from report.audit_merchants
      where $1::bigint is null or merchant_id = $1
      order by name, appid`,
    [scope.merchantId],
  )
}

/** All of them together. */
export function addUp(merchants: readonly MerchantSums[]): Omit<MerchantSums, 'appid' | 'name'> {
  const sum = (of: (merchant: MerchantSums) => bigint) =>
    merchants.reduce((total, one) => total + of(one), 0n)
  return {
    orders: sum(m => m.orders),
    transfers: sum(m => m.transfers),
    arrived: sum(m => m.arrived),
    waiting: sum(m => m.waiting),
    credited: sum(m => m.credited),
    received: sum(m => m.received),
    announced: sum(m => m.announced),
    acknowledged: sum(m => m.acknowledged),
    due: sum(m => m.due),
    exhausted: sum(m => m.exhausted),
  }
}

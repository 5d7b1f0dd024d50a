import { type LegacyUnits, legacy, type UsdtUnits, usdt } from '../base/money.ts'
import type { AuditChecks, AuditScope } from './audit-check.ts'
import type { SnapshotRead } from './read-snapshot.ts'

/** A merchant's sums. */
export interface MerchantSums {
  appid: string
  name: string
  orders: bigint
  transfers: bigint
  /** All transfers to its addresses. */
  arrived: UsdtUnits
  /** Those of them that wait. */
  waiting: UsdtUnits
  /** Those that an operator rejected. They do not wait. */
  rejected: UsdtUnits
  /** Those that people settled outside. They do not wait. */
  settled: UsdtUnits
  credited: UsdtUnits
  /** Those that are deposits. They belong to no order. */
  deposited: UsdtUnits
  /** By its orders. */
  received: UsdtUnits
  /** Refunds and corrections that stand. They are notes, and change no other sum. */
  refunded: UsdtUnits
  corrected: UsdtUnits
  announced: LegacyUnits
  acknowledged: LegacyUnits
  /** Callbacks that are neither acknowledged nor exhausted. */
  due: bigint
  exhausted: bigint
}

/** Checks that the sums of transfers, waiting transfers, credits and orders agree. */
export const sumsChecks: AuditChecks = {
  holds: {
    'merchant.sums':
      'per merchant, what arrived, less what waits, is rejected, is settled outside or is a deposit, was credited, and received by its orders',
  },
  sql: `
    select 'merchant.sums' as check_name, appid, 'merchant ' || appid as subject,
           arrived_units || ' units arrived, ' || waiting_units || ' of them wait, '
             || case when rejected_units > 0 then rejected_units || ' are rejected, ' else '' end
             || case when settled_units > 0 then settled_units || ' are settled outside, ' else '' end
             || case when deposited_units > 0 then deposited_units || ' are deposits, ' else '' end || credited_units
             || ' are credited, its orders received ' || received_units as detail
      from report.audit_merchants
     where (arrived_units - waiting_units - rejected_units - settled_units - deposited_units <> credited_units
            or credited_units <> received_units)
       and ($1::bigint is null or merchant_id = $1)`,
}

/** Reads the sums of every merchant, or of one, sorted by name. */
export async function readSums(read: SnapshotRead, scope: AuditScope): Promise<MerchantSums[]> {
  return await read<MerchantSums>(
    `select appid, name, orders, transfers, arrived_units as arrived, waiting_units as waiting, rejected_units as rejected,
            settled_units as settled, credited_units as credited, deposited_units as deposited, received_units as received,
            refunded_units as refunded, corrected_units as corrected, announced, acknowledged, due, exhausted
       from report.audit_merchants
      where $1::bigint is null or merchant_id = $1
      order by name, appid`,
    [scope.merchantId],
  )
}

/** Adds up the merchants' sums. */
export function addUp(merchants: readonly MerchantSums[]): Omit<MerchantSums, 'appid' | 'name'> {
  const sum = (of: (merchant: MerchantSums) => bigint) =>
    merchants.reduce((total, one) => total + of(one), 0n)
  return {
    orders: sum(m => m.orders),
    transfers: sum(m => m.transfers),
    arrived: usdt(sum(m => m.arrived)),
    waiting: usdt(sum(m => m.waiting)),
    rejected: usdt(sum(m => m.rejected)),
    settled: usdt(sum(m => m.settled)),
    credited: usdt(sum(m => m.credited)),
    deposited: usdt(sum(m => m.deposited)),
    received: usdt(sum(m => m.received)),
    refunded: usdt(sum(m => m.refunded)),
    corrected: usdt(sum(m => m.corrected)),
    announced: legacy(sum(m => m.announced)),
    acknowledged: legacy(sum(m => m.acknowledged)),
    due: sum(m => m.due),
    exhausted: sum(m => m.exhausted),
  }
}

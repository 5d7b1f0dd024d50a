import type { MerchantId } from '../base/ids.ts'

// check: one rule that must hold, with a name such as `credit.amount`. The output has a line for each.
// difference: a row for which a check does not hold.

/** What an audit covers. */
export interface AuditScope {
  /** One merchant's rows only; null: every merchant's. Rows that belong to no merchant are always checked. */
  merchantId: MerchantId | null
  /** How long a callback that nothing holds back may be due before that counts as a difference. */
  dueMaxS: number
}

/** Checks that one query decides. */
export interface AuditChecks {
  /** For each check, by its name, a sentence that says what holds. */
  holds: Readonly<Record<string, string>>
  /**
   * A query that returns a row for each difference: `check_name` (one of `holds`), `appid` (null: no merchant's), `subject`
   * (what it is about) and `detail` (what is there and what should be).
   * $1 is the merchant's id or null; $2, where it is used, `dueMaxS`.
   */
  sql: string
}

/** One place where a check does not hold. */
export interface Difference {
  /** null: it belongs to no merchant. */
  appid: string | null
  subject: string
  detail: string
}

export interface CheckResult {
  name: string
  holds: string
  differences: number
  /** The first of them. */
  first: Difference[]
}

/** Tells whether no check found a difference. */
export function isClean(results: readonly CheckResult[]): boolean {
  return results.every(({ differences }) => differences === 0)
}

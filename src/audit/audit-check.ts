/** What an audit looks at. */
export interface AuditScope {
  /** One merchant's rows alone; null: everybody's. What belongs to no merchant is looked at either way. */
  merchantId: bigint | null
  /** How long a callback that nothing holds back may be due before that counts as a difference. */
  dueMaxS: number
}

/** Some things that must hold, and one query that finds where they do not. */
export interface AuditChecks {
  /** A sentence for each check, by its name: what holds when there is no difference. */
  checks: Readonly<Record<string, string>>
  /**
   * A query over the whole database giving `check_name` (one of `checks`), `appid` (null: no merchant's), `subject`
   * (what it is about) and `detail` (what is there and what should be), a row for each difference.
   * $1 is the merchant's id or null; $2, where it is used, `dueMaxS`.
   */
  sql: string
}

/** One place where something does not hold. */
export interface Difference {
  /** null: it is not one merchant's. */
  appid: string | null
  subject: string
  detail: string
}

/** What a check came to. */
export interface CheckResult {
  name: string
  /** What holds when there is no difference. */
  holds: string
  differences: number
  /** The first of them. */
  first: Difference[]
}

/** Whether nothing differs. */
export function isClean(checks: readonly CheckResult[]): boolean {
  return checks.every(({ differences }) => differences === 0)
}

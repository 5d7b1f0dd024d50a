import { UsageError } from '../base/errors.ts'
import type { Author } from '../db/audit-store.ts'
import type { Pool } from '../db/pool.ts'
import { changeMerchant } from './change-merchant.ts'
import { nameProblems, refuseNamesake } from './merchant-name.ts'
import { updateName } from './merchant-store.ts'

/**
 * Renames a merchant. Its appid, keys and addresses stay.
 * @param options.again accept a name that another merchant has.
 * @returns false when it has the name already.
 * @throws UsageError for a name that cannot be, or that another merchant has; when no merchant has the appid.
 */
export async function renameMerchant(
  pool: Pool,
  appid: string,
  name: string,
  options: { again: boolean } & Partial<Author>,
): Promise<boolean> {
  const problems = nameProblems(name)
  if (problems.length > 0) throw new UsageError(problems)
  return changeMerchant(pool, { ...options, appid }, async (tx, merchant, record) => {
    if (merchant.name === name) return false
    if (!options.again) await refuseNamesake(tx, name)
    await updateName(tx, merchant.id, name)
    await record('merchant.renamed', { from: merchant.name, to: name })
    return true
  })
}

import { UsageError } from '../base/errors.ts'
import type { Tx } from '../db/pool.ts'
import { findNamesake } from './merchant-store.ts'

/** Checks a merchant's name. @returns its problems. */
export function nameProblems(name: string): string[] {
  const length = [...name].length
  if (length >= 1 && length <= 100 && !/\p{Cc}/u.test(name)) return []
  return ['name: 1 to 100 characters, no control characters']
}

/**
 * Refuses a name that a merchant has already. Until the transaction ends, no other merchant is added or renamed.
 * Names are not unique in the table: merchants of one name exist, and an operator may mean it.
 * @throws UsageError naming the merchant that has it.
 */
export async function refuseNamesake(tx: Tx, name: string): Promise<void> {
  const appid = await findNamesake(tx, name)
  if (appid === null) return
  throw new UsageError(
    `merchant ${appid} has the name "${name}" already: to change that merchant, use merchant set or rename; ` +
      'if another one is to have the same name, give --again',
  )
}

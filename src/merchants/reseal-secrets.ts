import { UsageError } from '../base/errors.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import { inTransaction, type Pool, type Tx } from '../db/pool.ts'
import { openSecret, type Sealing, sealSecret } from './sealed-secret.ts'
import {
  replaceSealed,
  type SealedSecret,
  type SecretTable,
  secretsAfter,
  secretTables,
  setSealing,
} from './sealing-store.ts'

/** The version that secrets are sealed in again. */
const newest: Sealing = 2
/** Of one transaction: the locks are held for milliseconds. */
const rowsPerBatch = 100

/** What `gateway reseal` did. */
export interface Resealed {
  resealed: number
  /** Rows that the master key does not open, damaged or sealed under another one: they stay as they are. */
  unopened: { table: SecretTable; id: bigint }[]
}

/**
 * Seals every secret for its own row, retired ones too, and has new ones sealed so from now on. Processes of releases that
 * know only the old version cannot open them: none may be running. What is done already is left, so it may be run again.
 * @throws UsageError when the master key opens none of the secrets. Nothing is changed then.
 */
export async function resealSecrets(
  pool: Pool,
  masterKey: Buffer,
  author: Partial<Author> = {},
): Promise<Resealed> {
  await checkMasterKey(pool, masterKey)
  await inTransaction(pool, async tx => {
    if (await setSealing(tx, newest))
      await recordAudit(tx, {
        ...authorOf(author),
        action: 'secrets.sealing_set',
        subject: 'secrets',
        detail: { sealing: newest },
      })
  })
  const done: Resealed = { resealed: 0, unopened: [] }
  for (const table of secretTables) {
    let after: bigint | null = 0n
    while (after !== null) {
      const from: bigint = after
      after = await inTransaction(pool, tx => resealBatch({ tx, masterKey, author }, table, from, done))
    }
  }
  return done
}

/** Reseals the next rows. @returns the id to go on after; null when there are no more. */
async function resealBatch(
  { tx, masterKey, author }: { tx: Tx; masterKey: Buffer; author: Partial<Author> },
  table: SecretTable,
  after: bigint,
  done: Resealed,
): Promise<bigint | null> {
  const found = await secretsAfter(tx, table, after, { max: rowsPerBatch, below: newest })
  const resealed = found.flatMap(row => {
    const secret = openOrNull(masterKey, row)
    if (secret === null) return []
    return [{ id: row.id, sealed: sealSecret(masterKey, row, secret, newest) }]
  })
  if (resealed.length > 0) {
    await replaceSealed(tx, table, resealed)
    const detail = { table, from: `${resealed[0]!.id}`, to: `${resealed.at(-1)!.id}`, rows: resealed.length }
    await recordAudit(tx, { ...authorOf(author), action: 'secrets.resealed', subject: 'secrets', detail })
  }
  done.resealed += resealed.length
  const unopened = found.filter(({ id }) => !resealed.some(one => one.id === id))
  done.unopened.push(...unopened.map(({ id }) => ({ table, id })))
  return found.length < rowsPerBatch ? null : found.at(-1)!.id
}

async function checkMasterKey(pool: Pool, masterKey: Buffer): Promise<void> {
  let seen = 0
  for (const table of secretTables) {
    let after: bigint | null = 0n
    while (after !== null) {
      const found: SealedSecret[] = await secretsAfter(pool, table, after, { max: rowsPerBatch })
      if (found.some(row => openOrNull(masterKey, row) !== null)) return
      seen += found.length
      after = found.at(-1)?.id ?? null
    }
  }
  if (seen > 0)
    throw new UsageError("MASTER_KEY is not the one the merchants' keys in this database were sealed under")
}

function openOrNull(masterKey: Buffer, row: SealedSecret): string | null {
  try {
    return openSecret(masterKey, row, row.sealed)
  } catch {
    return null // Reported by its id.
  }
}

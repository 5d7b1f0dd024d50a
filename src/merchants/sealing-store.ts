import type { MerchantId } from '../base/ids.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import { type Sealing, type SecretRow, sealSecret, webhookPurpose } from './sealed-secret.ts'

/** The tables of merchants' secrets. */
export type SecretTable = Exclude<SecretRow['table'], 'console_user'>
export const secretTables: readonly SecretTable[] = ['merchant_key', 'webhook_secret']

/** What a secret is for, in SQL. */
const purposeOf = { merchant_key: 'scheme', webhook_secret: `'${webhookPurpose}'` } as const

/** A sealed secret and its row. */
export interface SealedSecret extends SecretRow {
  sealed: Buffer
}

/**
 * Takes an id for a new row and seals a secret for it. The version is read under the lock that every change of keys and
 * secrets takes, so that no secret of the old version is committed after `setSealing`.
 */
export async function sealNew(
  tx: Tx,
  masterKey: Buffer,
  table: SecretTable,
  row: { merchantId: MerchantId; purpose: string },
  secret: string,
): Promise<{ id: bigint; sealed: Buffer }> {
  const [next] = await rows<{ id: bigint; sealing: Sealing }>(
    tx,
    `select nextval(pg_get_serial_sequence($1, 'id')) as id, sealing
       from merchant_version
        for no key update`,
    [table],
  )
  const { id, sealing } = next!
  return { id, sealed: sealSecret(masterKey, { table, id, ...row }, secret, sealing) }
}

/** Sets the version in which new secrets are sealed. @returns false when it was set already. */
export async function setSealing(tx: Tx, sealing: Sealing): Promise<boolean> {
  return (await run(tx, `update merchant_version set sealing = $1 where sealing <> $1`, [sealing])) === 1
}

/**
 * Reads secrets by id, retired ones too.
 * @param options.below only those of an older version; locked until the transaction ends.
 */
export async function secretsAfter(
  db: Queryable,
  table: SecretTable,
  after: bigint,
  { max, below }: { max: number; below?: Sealing },
): Promise<SealedSecret[]> {
  const found = await rows<Omit<SealedSecret, 'table'>>(
    db,
    `select id, merchant_id as "merchantId", ${purposeOf[table]} as purpose, sealed
       from ${table}
      where id > $1 ${below === undefined ? '' : `and get_byte(sealed, 0) < ${below}`}
      order by id
      limit $2 ${below === undefined ? '' : 'for no key update'}`,
    [after, max],
  )
  return found.map(row => ({ ...row, table }))
}

/** Replaces sealed secrets, in one statement. */
export async function replaceSealed(
  tx: Tx,
  table: SecretTable,
  secrets: readonly { id: bigint; sealed: Buffer }[],
): Promise<void> {
  await run(
    tx,
    `update ${table} as t
        set sealed = s.sealed
       from unnest($1::bigint[], $2::bytea[]) as s (id, sealed)
      where t.id = s.id`,
    [secrets.map(({ id }) => id), secrets.map(({ sealed }) => sealed)],
  )
}

import { failpoint } from '../base/failpoint.ts'
import type { DepositAddressId, TransferId } from '../base/ids.ts'
import { lockCursor } from '../blocks/chain-store.ts'
import { type Author, authorOf, recordAudit } from '../db/audit-store.ts'
import type { Pool, Tx } from '../db/pool.ts'
import {
  lockQuarantined,
  noteQuarantined,
  type Quarantined,
  resolveQuarantined,
} from '../transfers/quarantine-store.ts'
import { newlyPending } from './credit-blocks.ts'
import type { CreditRules } from './credit-rules.ts'
import { addressesOf } from './credit-transfers.ts'
import { type CreditStep, inCreditingTransaction } from './crediting-transaction.ts'
import { decodeAgain } from './decode-again.ts'
import { recordProved } from './record-proved.ts'
import { releaseQuarantined, stateOf, waitingAt } from './waiting-store.ts'

/**
 * The result of a retry.
 * - `credited`, or why the transfer waits now (`quarantined`: it failed again, for the reason given).
 * - `unproved`: the log can be decoded now, and its transfer waits for proof. See `gateway held list`.
 * - `not ours`, `no transfer`, `zero`: the log can be decoded now, and there is nothing to credit.
 * - `undecodable`: still, for the reason given. `no header`: its block has to be read again, by a rescan.
 * - `not parked`: nothing with that id is quarantined, or it is resolved already.
 */
export interface Retried {
  id: bigint
  became:
    | 'credited'
    | 'unclaimed'
    | 'held'
    | 'behind'
    | 'quarantined'
    | 'unproved'
    | 'not ours'
    | 'no transfer'
    | 'zero'
    | 'undecodable'
    | 'no header'
    | 'not parked'
  reason: string | null
  /** For `no header`: the block to be rescanned. */
  rescanHeight?: number
}

/**
 * Retries something quarantined, in a transaction of its own and with an audit event. A log is decoded again, and recorded if
 * it is a transfer to one of our addresses. A transfer is credited again, with what waits behind it.
 */
export async function retryQuarantined(
  pool: Pool,
  rules: CreditRules,
  id: bigint,
  author: Partial<Author> = {},
): Promise<Retried> {
  return await inCreditingTransaction(pool, async (tx, credit) => {
    const cursor = await lockCursor(tx)
    const quarantined = await lockQuarantined(tx, id)
    if (!cursor || !quarantined) return { id, became: 'not parked', reason: null }
    const { addressId, ...retried } = quarantined.transferId
      ? await creditAgain(tx, rules, quarantined, quarantined.transferId, credit, cursor.time)
      : await readAgain(tx, rules, quarantined, credit, cursor)
    await recordAudit(tx, {
      ...authorOf(author),
      action: 'quarantine.retried',
      subject: `quarantine ${id}`,
      detail: { txid: quarantined.txid, logIndex: quarantined.logIndex, ...retried, id: `${id}` },
      addressId: addressId ?? null,
    })
    failpoint('quarantine:before-commit')
    return retried
  })
}

/** `addressId`: where it was paid, if that is known. */
type RetriedAt = Retried & { addressId?: DepositAddressId | undefined }

async function creditAgain(
  tx: Tx,
  rules: CreditRules,
  quarantined: Quarantined,
  transferId: TransferId,
  credit: CreditStep,
  until: Date,
): Promise<RetriedAt> {
  // If crediting fails again, it quarantines the transfer again, which reopens this row.
  await resolveQuarantined(tx, quarantined.id)
  const addressIds = await releaseQuarantined(tx, transferId)
  await credit(tx, rules, await waitingAt(tx, addressIds), until)
  return {
    id: quarantined.id,
    became: await stateOf(tx, transferId),
    reason: await openReason(tx, quarantined.id),
    addressId: addressIds[0],
  }
}

async function readAgain(
  tx: Tx,
  rules: CreditRules,
  quarantined: Quarantined,
  credit: CreditStep,
  cursor: { time: Date; startHeight: number },
): Promise<RetriedAt> {
  const read = await decodeAgain(tx, rules.usdtContract, quarantined)
  if (read.kind === 'undecodable') {
    await noteQuarantined(tx, quarantined.id, read.reason)
    return { id: quarantined.id, became: 'undecodable', reason: read.reason }
  }
  if (read.kind === 'no header') {
    const reason = `block ${quarantined.height} has to be read again`
    return { id: quarantined.id, became: 'no header', reason, rescanHeight: quarantined.height }
  }
  await resolveQuarantined(tx, quarantined.id)
  if (read.kind !== 'transfer') return { id: quarantined.id, became: read.kind, reason: null }
  const done = await recordProved(tx, rules, [read.block], cursor.startHeight + 1)
  const { recorded, freed } = done
  const waiting = await waitingAt(tx, addressesOf(recorded, freed))
  await credit(tx, rules, [...waiting, ...newlyPending(rules, recorded)], cursor.time)
  if (done.waiting > 0) return { id: quarantined.id, became: 'unproved', reason: null }
  if (recorded.length === 0) return { id: quarantined.id, became: 'not ours', reason: null }
  return {
    id: quarantined.id,
    became: await stateOf(tx, recorded[0]!.id),
    reason: await openReason(tx, quarantined.id),
    addressId: recorded[0]!.depositAddressId,
  }
}

/** Reads why it is quarantined again; null when it is not. */
async function openReason(tx: Tx, id: bigint): Promise<string | null> {
  return (await lockQuarantined(tx, id))?.reason ?? null
}

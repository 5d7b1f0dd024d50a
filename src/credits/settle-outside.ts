import type { MarkId, MerchantId, TransferId } from '../base/ids.ts'
import type { Pool, Tx } from '../db/pool.ts'
import { about, type assignRefusals, factsOf, type Refused } from './assign-unclaimed.ts'
import type { CreditRules } from './credit-rules.ts'
import { type Changed, carryOut, type Decided, type Decision } from './decision.ts'
import type { Mark } from './mark.ts'
import { insertMark, readMark, standingMarks } from './mark-store.ts'
import { readTransferState, type TransferState } from './rejection-store.ts'
import { readPaidAddress } from './unclaimed-store.ts'
import { takeWaiting, waitAgain } from './waiting-store.ts'

/**
 * Marks an unclaimed transfer as settled outside the gateway. It is unclaimed no more, and no order gets it, unless the mark is
 * withdrawn.
 * @param merchantId of whom the transfer has to be; null: of any.
 */
export async function settleOutside(
  pool: Pool,
  rules: CreditRules,
  id: TransferId,
  decision: Decision,
  merchantId: MerchantId | null = null,
): Promise<Decided<TransferState> | Refused<keyof Pick<typeof assignRefusals, 'nobodys'>>> {
  const paid = await readPaidAddress(pool, id, merchantId)
  if (!paid) return { kind: 'impossible', state: 'unknown' }
  if (paid.localusermark === '') return { kind: 'refused', code: 'nobodys' }
  return await carryOut(pool, rules, about(id, 'transfer.settled_outside', decision), {
    async decide(tx) {
      const taken = await takeWaiting(tx, id, 'unclaimed')
      if (!taken) return null
      const mark = await insertMark(tx, {
        ...{ kind: 'settled_outside', merchantId: paid.merchantId, target: { transferId: id } },
        ...{ withdraws: null, amount: null, txid: null },
        ...{ reason: decision.reason, madeBy: decision.actor },
      })
      return { addressId: taken.addressId, detail: { ...factsOf(paid), mark: `${mark}` } }
    },
    read: tx => readTransferState(tx, id),
    isDone: state => state === 'settled_outside',
  })
}

/** What a mark is: it stands, was withdrawn, or cannot be since it is a withdrawal itself; `unknown`: there is none. */
export type MarkState = 'standing' | 'withdrawn' | 'a withdrawal' | 'refunded' | 'unknown'

/**
 * Withdraws a mark by another mark. A transfer that was settled outside is unclaimed again, and an order that may claim it does.
 * @param merchantId whose mark it has to be; null: anyone's.
 * @returns impossible: `refunded` for a settled transfer that is marked as refunded, or corrected: withdraw these first.
 */
export async function withdrawMark(
  pool: Pool,
  rules: CreditRules,
  id: MarkId,
  decision: Decision,
  merchantId: MerchantId | null = null,
): Promise<Decided<MarkState>> {
  const subject = `mark ${id}`
  return await carryOut(
    pool,
    rules,
    { ...decision, action: 'mark.withdrawn', subject },
    {
      async decide(tx) {
        const mark = await readMark(tx, id, merchantId)
        return mark && (await stateOfMark(tx, mark)) === 'standing'
          ? await withdraw(tx, mark, decision)
          : null
      },
      async read(tx) {
        const mark = await readMark(tx, id, merchantId)
        return mark ? await stateOfMark(tx, mark) : 'unknown'
      },
      isDone: state => state === 'withdrawn',
    },
  )
}

async function withdraw(tx: Tx, mark: Mark, { actor, reason }: Decision): Promise<Changed> {
  const { id, kind, merchantId, target } = mark
  await insertMark(tx, {
    ...{ kind: 'withdrawal', merchantId, target, withdraws: id, amount: null, txid: null },
    ...{ reason, madeBy: actor },
  })
  if (kind !== 'settled_outside' || !('transferId' in target))
    return { addressId: null, merchantId, detail: { kind } }
  const { transferId } = target
  const paid = await readPaidAddress(tx, transferId, null)
  const { addressId: depositAddressId } = paid!
  await waitAgain(tx, [{ transferId, depositAddressId, node: null }], 'unclaimed')
  return { addressId: depositAddressId, detail: { kind, ...factsOf(paid!) } }
}

async function stateOfMark(tx: Tx, { kind, target, withdrawnBy }: Mark): Promise<MarkState> {
  if (kind === 'withdrawal') return 'a withdrawal'
  if (withdrawnBy !== null) return 'withdrawn'
  const isRefunded = kind === 'settled_outside' && (await standingMarks(tx, target)).length > 0
  return isRefunded ? 'refunded' : 'standing'
}

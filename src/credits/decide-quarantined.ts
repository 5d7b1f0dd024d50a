import assert from 'node:assert/strict'
import type { Pool, Tx } from '../db/pool.ts'
import {
  lockQuarantined,
  type Quarantined,
  reopenQuarantine,
  resolveQuarantined,
} from '../transfers/quarantine-store.ts'
import type { CreditRules } from './credit-rules.ts'
import { carryOut, type Decided, type Decision } from './decision.ts'
import {
  endQuarantineRejection,
  insertRejection,
  type QuarantineState,
  readQuarantineState,
} from './rejection-store.ts'
import { takeWaiting, waitAgain } from './waiting-store.ts'

/**
 * Rejects something quarantined, and credits what waited behind it. No node is asked: that the transfer is real is not in
 * doubt, only that it can be credited. For the same reason a rescan does not take it up again.
 */
export async function rejectQuarantined(
  pool: Pool,
  rules: CreditRules,
  id: bigint,
  decision: Decision,
): Promise<Decided<QuarantineState>> {
  return await carryOut(pool, rules, about(id, 'quarantine.rejected', decision), {
    async decide(tx) {
      const quarantined = await lockQuarantined(tx, id)
      if (!quarantined) return null
      const { transferId, txid, logIndex } = quarantined
      const addressId = await takeQuarantined(tx, quarantined)
      await resolveQuarantined(tx, id)
      await insertRejection(tx, {
        ...{ transferId, quarantineId: id, node: null },
        ...{ reason: decision.reason, rejectedBy: decision.actor },
      })
      return { addressId, detail: { txid, logIndex, quarantinedFor: quarantined.reason } }
    },
    read: tx => readQuarantineState(tx, id),
    isDone: state => state === 'rejected',
  })
}

/** Undoes a rejection: it is quarantined again, for the reason it was, and can be retried. */
export async function reopenQuarantined(
  pool: Pool,
  rules: CreditRules,
  id: bigint,
  decision: Decision,
): Promise<Decided<QuarantineState>> {
  return await carryOut(pool, rules, about(id, 'quarantine.reopened', decision), {
    async decide(tx) {
      const ended = await endQuarantineRejection(tx, id)
      if (!ended) return null
      await reopenQuarantine(tx, id)
      const [addressId] = await waitAgain(tx, [ended], 'quarantined')
      return { addressId: addressId ?? null, detail: {} }
    },
    read: tx => readQuarantineState(tx, id),
    isDone: state => state === 'quarantined',
  })
}

async function takeQuarantined(tx: Tx, { transferId }: Quarantined) {
  if (transferId === null) return null
  const taken = await takeWaiting(tx, transferId, 'quarantined')
  assert(taken, 'a transfer with an open quarantine waits for that')
  return taken.addressId
}

function about(id: bigint, action: string, decision: Decision) {
  return { ...decision, action, subject: `quarantine ${id}` }
}

import type { PendingProofId } from '../base/ids.ts'
import { readCursor } from '../blocks/chain-store.ts'
import { type Pool, type Queryable, rows } from '../db/pool.ts'
import { insertTransfers } from '../transfers/transfer-store.ts'
import { addressToHex } from '../tron/address.ts'
import type { SecondNodes } from './confirm-held.ts'
import type { CreditRules } from './credit-rules.ts'
import type { NotRejected } from './decide-held.ts'
import { carryOut, type Decided, type Decision } from './decision.ts'
import {
  endRecorded,
  type PendingProof,
  readPendingProof,
  rejectPending,
  reopenPending,
} from './pending-proof-store.ts'
import { oneHost } from './proof-policy.ts'
import { readEverywhere } from './read-everywhere.ts'
import { readTransferState, type TransferState } from './rejection-store.ts'
import { canDeny, nextCheckOfRejectedMs } from './settle-rules.ts'
import { isProved, shows } from './shown-version.ts'
import { insertProofs } from './transfer-proof-store.ts'
import { waitAgain } from './waiting-store.ts'

/** What has become of what waited for proof: of its transfer, once it is recorded. */
export type PendingState = TransferState | 'unproved'

/** Credits what waits for proof on the operator's word. Its proof is `alone`: the host's word, and theirs. */
export async function releasePending(
  pool: Pool,
  rules: CreditRules,
  id: PendingProofId,
  decision: Decision,
): Promise<Decided<PendingState>> {
  return await carryOut<PendingState>(pool, rules, about(id, 'proof.released', decision), {
    async decide(tx) {
      const one = await readPendingProof(tx, id)
      const cursor = await readCursor(tx)
      // Past the cursor, its block has to be followed first.
      if (!one || one.endedAs !== null || !cursor || one.height > cursor.height) return null
      const [recorded] = await insertTransfers(tx, [asTransferToUs(one)])
      if (!recorded) return null
      await insertProofs(tx, [{ transferId: recorded.id, proof: 'alone', hosts: one.hosts }])
      const ended = await endRecorded(tx, [one.txid])
      const { depositAddressId, node } = one
      await waitAgain(tx, [{ transferId: recorded.id, depositAddressId, node }], 'behind')
      const others = ended.map(other => other.depositAddressId)
      return { addressId: depositAddressId, others, detail: factsOf(one) }
    },
    read: tx => readPendingState(tx, id),
    isDone: state => ['credited', 'unclaimed', 'behind', 'held'].includes(state),
  })
}

/**
 * Rejects what waits for proof, and credits what waited behind it.
 * @param ask asks all hosts, outside any transaction, as `askAboutPending` does; an error counts as unanswered. Null: none is
 *   asked, and the operator's word is enough.
 */
export async function rejectPendingByHand(
  pool: Pool,
  rules: CreditRules,
  id: PendingProofId,
  decision: Decision,
  ask: ((one: PendingProof) => Promise<PendingAnswer>) | null,
): Promise<Decided<PendingState> | NotRejected> {
  const before = await readPendingProof(pool, id)
  const answer = before?.endedAs === null && ask ? await ask(before).catch(unanswered) : null
  if (answer && answer.kind !== 'denied') return answer
  return await carryOut<PendingState>(pool, rules, about(id, 'proof.rejected', decision), {
    async decide(tx) {
      const one = await readPendingProof(tx, id)
      if (!one) return null
      const { actor: by, reason: because } = decision
      const nextCheckMs = nextCheckOfRejectedMs(0)!
      const addressId = await rejectPending(tx, id, { because, by, nextCheckMs })
      if (addressId === null) return null
      const detail = { ...factsOf(one), node: one.node, nodes: answer ? answer.note : 'not asked' }
      return { addressId, detail }
    },
    read: tx => readPendingState(tx, id),
    isDone: state => state === 'rejected',
  })
}

/** Undoes a rejection: it waits for proof again, and all hosts are asked again at once. What is credited since stays credited. */
export async function reopenPendingByHand(
  pool: Pool,
  rules: CreditRules,
  id: PendingProofId,
  decision: Decision,
): Promise<Decided<PendingState>> {
  return await carryOut<PendingState>(pool, rules, about(id, 'proof.reopened', decision), {
    async decide(tx) {
      const addressId = await reopenPending(tx, id)
      return addressId === null ? null : { addressId, detail: {} }
    },
    read: tx => readPendingState(tx, id),
    isDone: state => state === 'unproved',
  })
}

/** What all hosts say of what waits for proof. `denied`: some other host shows its block without it. */
export type PendingAnswer = NotRejected | { kind: 'denied'; note: string }

/** Asks every host about what waits for proof. */
export async function askAboutPending(
  nodes: SecondNodes,
  rules: CreditRules,
  one: PendingProof,
): Promise<PendingAnswer> {
  const { hostOf } = rules.proof ?? oneHost
  const { readings, failure } = await readEverywhere(nodes, one.height, {
    last: [one.node],
    enough: found => isProved(found, one, hostOf),
  })
  if (isProved(readings, one, hostOf)) return { kind: 'confirmed' }
  const deniers = readings
    .filter(reading => canDeny(reading, one.hash) && !shows(reading, one))
    .map(({ node }) => node)
    .filter(node => !one.hosts.includes(hostOf(node)))
  if (deniers.length > 0)
    return { kind: 'denied', note: `${deniers.join(', ')} do not show it in block ${one.hash}` }
  const why = failure instanceof Error ? failure.message : `only ${one.node} could be asked`
  return { kind: 'unanswered', note: why }
}

function unanswered(error: unknown): PendingAnswer {
  return { kind: 'unanswered', note: error instanceof Error ? error.message : String(error) }
}

async function readPendingState(db: Queryable, id: PendingProofId): Promise<PendingState> {
  const one = await readPendingProof(db, id)
  if (!one) return 'unknown'
  if (one.endedAs === null) return 'unproved'
  if (one.endedAs === 'rejected') return 'rejected'
  const [transfer] = await rows<{ id: Parameters<typeof readTransferState>[1] }>(
    db,
    `select id from transfer where txid = $1 and log_index = $2`,
    [one.txid, one.logIndex],
  )
  return transfer ? await readTransferState(db, transfer.id) : 'unknown'
}

function asTransferToUs(one: PendingProof) {
  const { txid, txIndex, logIndex, from, to, amount, depositAddressId, height, hash, time } = one
  const transfer = {
    ...{ txid, txIndex, logIndex, amount, signed: false },
    fromHex: addressToHex(from),
    toHex: addressToHex(to),
  }
  return { block: { height, hash, time, transfers: [transfer] }, transfer, depositAddressId }
}

function about(id: PendingProofId, action: string, decision: Decision) {
  return { ...decision, action, subject: `transfer p${id}` }
}

function factsOf({ txid, logIndex, to, amount }: PendingProof): Record<string, unknown> {
  return { txid, logIndex, to, amount: `${amount}` }
}

import type { DepositAddressId } from '../base/ids.ts'
import { recordAudit } from '../db/audit-store.ts'
import type { Tx } from '../db/pool.ts'
import type { RecordedTransfer } from '../transfers/transfer.ts'
import {
  type BlockOfTransfers,
  insertTransfers,
  type TransferToUs,
  transfersToUs,
} from '../transfers/transfer-store.ts'
import { addressFromHex } from '../tron/address.ts'
import type { SolidBlock } from '../tron/block.ts'
import type { CreditRules } from './credit-rules.ts'
import {
  endRecorded,
  insertPendingProofs,
  type PendingProof,
  reopenPending,
  type Version,
  versionKey,
  versionsOfTransactions,
} from './pending-proof-store.ts'
import { judge, oneHost, type Proof, type ProofRules, proofs } from './proof-policy.ts'
import { insertProofs } from './transfer-proof-store.ts'

/** A block as a node showed it, as far as recording needs it. A height may occur several times, as several nodes showed it. */
export type ShownBlock = BlockOfTransfers & Pick<SolidBlock, 'node' | 'unverified'>

/** A node that nobody remembers. It is no host. */
export const unknownNode = 'unknown'

/** A transfer recorded just now, with what it is credited on. */
export interface ProvedTransfer extends RecordedTransfer {
  proof: Proof
  /** The node that showed it. */
  node: string
}

/** What recording did. */
export interface RecordedProved {
  recorded: ProvedTransfer[]
  /** How many versions wait for proof now and did not before. */
  unproved: number
  /** How many of what was shown wait for proof. */
  waiting: number
  /** Rejected ones that are recorded, or wait again. */
  takenUp: number
  /** Where something ended its wait for proof, so that what waits behind it has its turn. */
  freed: DepositAddressId[]
}

interface SeenVersion extends Version {
  /** As the block that says most shows it. */
  shown: TransferToUs<ShownBlock>
  signed: boolean
  hosts: Set<string>
}

/**
 * Records the transfers to our addresses that the policy would credit, each with its proof. What else is shown waits for proof:
 * nothing of it is in transfer before. Every way of recording is this one.
 * @param tx holds the cursor's lock, so that no other transaction credits.
 * @param blocks of one height or many; what several nodes show of one block counts together.
 * @param firstHeight as in `transfersToUs`. @param actor takes up what was rejected, for the audit.
 */
export async function recordProved(
  tx: Tx,
  { proof: rules = oneHost }: Pick<CreditRules, 'proof'>,
  blocks: readonly ShownBlock[],
  firstHeight: number,
  actor = 'watcher',
): Promise<RecordedProved> {
  const seen = seenVersions(await transfersToUs(tx, blocks, firstHeight), rules)
  if (seen.length === 0) return { recorded: [], unproved: 0, waiting: 0, takenUp: 0, freed: [] }
  const txids = seen.map(({ txid }) => txid)
  const known = new Map((await versionsOfTransactions(tx, txids)).map(one => [versionKey(one), one]))
  const judged = seen.map(version => judgeVersion(rules, version, known.get(versionKey(version))))
  const recorded = await record(tx, judged)
  const waits = judged.filter(({ verdict }) => verdict === 'wait')
  const isNew = await insertPendingProofs(tx, waits.map(asPending))
  const ended = known.size > 0 ? await endRecorded(tx, txids) : []
  const again = [
    ...ended.filter(one => one.endedAs === 'credited' && one.wasRejected),
    ...(await reopen(tx, rules, waits)),
  ]
  for (const { id, depositAddressId: addressId } of again) {
    const event = { action: 'proof.taken_up', subject: `transfer p${id}`, addressId }
    await recordAudit(tx, { actor, reason: 'it is shown after all', ...event })
  }
  return {
    recorded,
    unproved: isNew.length,
    waiting: waits.length,
    takenUp: again.length,
    freed: ended.map(({ depositAddressId }) => depositAddressId),
  }
}

/** Joins what several blocks show of one version. */
function seenVersions(ours: readonly TransferToUs<ShownBlock>[], rules: ProofRules): SeenVersion[] {
  const seen = new Map<string, SeenVersion>()
  for (const shown of ours) {
    const { block, transfer, depositAddressId } = shown
    const { txid, logIndex, amount } = transfer
    const from = addressFromHex(transfer.fromHex)
    const version: Version = { txid, logIndex, depositAddressId, from, amount, hash: block.hash }
    const key = versionKey(version)
    const signed = block.unverified === null && transfer.signed
    const before = seen.get(key)
    const host = block.node === unknownNode ? [] : [rules.hostOf(block.node)]
    if (!before) seen.set(key, { ...version, shown, signed, hosts: new Set(host) })
    else {
      for (const one of host) before.hosts.add(one)
      // A verified block has the transaction's true position.
      if (block.unverified === null && before.shown.block.unverified !== null) before.shown = shown
      before.signed ||= signed
    }
  }
  return [...seen.values()]
}

interface JudgedVersion extends SeenVersion {
  known: PendingProof | undefined
  verdict: Proof | 'wait'
}

function judgeVersion(
  rules: ProofRules,
  version: SeenVersion,
  known: PendingProof | undefined,
): JudgedVersion {
  const hosts = new Set([...version.hosts, ...(known?.hosts ?? [])])
  const evidence = {
    signed: version.signed,
    hosts: hosts.size,
    // Whoever shows it now denies it no longer.
    denied: known?.denied.filter(host => !version.hosts.has(host)).length ?? 0,
    amount: version.amount,
    ageMs: known?.ageMs ?? 0,
  }
  const verdict = judge(rules, evidence)
  // Where somebody rejected it, or other hosts did, one host's word does not count for more than it did then.
  const rejected = known?.endedAs === 'rejected' && (known.endedBy !== null || rules.hosts > 1)
  return { ...version, hosts, known, verdict: verdict === 'alone' && rejected ? 'wait' : verdict }
}

/** Records what may be credited. Of two versions of one transfer the better proved one comes first. */
async function record(tx: Tx, judged: readonly JudgedVersion[]): Promise<ProvedTransfer[]> {
  const best = new Map<string, JudgedVersion & { verdict: Proof }>()
  for (const proof of proofs) {
    for (const version of judged) {
      const key = placeKey(version)
      if (version.verdict === proof && !best.has(key)) best.set(key, { ...version, verdict: proof })
    }
  }
  const recorded = await insertTransfers(
    tx,
    [...best.values()].map(({ shown }) => shown),
  )
  const proved = recorded.map(transfer => {
    const { verdict, hosts, shown } = best.get(placeKey(transfer))!
    return { ...transfer, proof: verdict, node: shown.block.node, hosts: [...hosts].sort() }
  })
  await insertProofs(
    tx,
    proved.map(({ id, proof, hosts }) => ({ transferId: id, proof, hosts })),
  )
  return proved
}

function placeKey({ txid, logIndex }: { txid: string; logIndex: number }): string {
  return `${txid} ${logIndex}`
}

function asPending({ shown: { block, transfer }, hosts, ...version }: JudgedVersion) {
  const { height, time, node } = block
  const { txIndex } = transfer
  return { ...version, height, time, node, txIndex, hosts: [...hosts].sort() }
}

/** Where a single host is configured, what it had left out and shows again waits again, unless a person rejected it. */
async function reopen(tx: Tx, rules: ProofRules, waits: readonly JudgedVersion[]) {
  const reopened = []
  for (const { known } of waits) {
    if (rules.hosts > 1 || known?.endedAs !== 'rejected' || known.endedBy !== null) continue
    if ((await reopenPending(tx, known.id)) !== null) reopened.push(known)
  }
  return reopened
}

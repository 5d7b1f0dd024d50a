import assert from 'node:assert/strict'
import { failpoint } from '../base/failpoint.ts'
import type { DepositAddressId } from '../base/ids.ts'
import { readHeaders } from '../blocks/block-store.ts'
import { type LockedCursor, lockCursor } from '../blocks/chain-store.ts'
import { endParked, noteStillParked, parkedAt, wakeParked } from '../blocks/parked-block-store.ts'
import { recordAudit } from '../db/audit-store.ts'
import type { Pool, Tx } from '../db/pool.ts'
import { recordContractEvents } from '../transfers/contract-event-store.ts'
import { quarantineLogs, resolveDecodedLogs } from '../transfers/quarantine-store.ts'
import type { SolidBlock } from '../tron/block.ts'
import type { SecondNodes } from './confirm-held.ts'
import { newlyPending } from './credit-blocks.ts'
import type { CreditRules } from './credit-rules.ts'
import { addressesOf, type Credited } from './credit-transfers.ts'
import { type CreditStep, inCreditingTransaction } from './crediting-transaction.ts'
import {
  type CheckedProof,
  noteChecked,
  type PendingProof,
  rejectPending,
  unprovedAt,
} from './pending-proof-store.ts'
import { oneHost, type ProofRules } from './proof-policy.ts'
import { readEverywhere } from './read-everywhere.ts'
import { recordProved } from './record-proved.ts'
import { endLogRejections } from './rejection-store.ts'
import {
  canDeny,
  leftOutMs,
  nextBlockCheckMs,
  nextCheckMs,
  nextCheckOfRejectedMs,
  settlesAs,
} from './settle-rules.ts'
import { alikeFor, isEnough, shows } from './shown-version.ts'
import {
  type Due,
  dueHeights,
  insertUnverified,
  noteUnsettled,
  settleBlocks,
  type UnverifiedBlock,
  unsettledAt,
} from './unverified-block-store.ts'
import { waitingAt } from './waiting-store.ts'

// settling: what waits for proof, and every unverified block, is read again from every source until it is decided.

/** What settling one block did. */
export interface Settled {
  height: number
  /** Transfers recorded now: those that waited, and hidden ones. */
  recorded: number
  credits: number
  /** Versions that seem made up. */
  rejected: { id: string; txid: string; logIndex: number; to: string; amount: string; because: string }[]
  takenUp: number
  /** It was parked, and is read now. Undefined: it was not, or is still parked. */
  read?: true
}

/** The most blocks that are read again in one call. */
const heightsMax = 20

/**
 * Reads the blocks again that are due, from one host after the other, and credits what has its proof now, rejects what seems made
 * up, and settles unverified blocks. The reading is outside any transaction and writes nothing, so a crash loses nothing. Two
 * watchers, or an operator, beside it are harmless: each decision is made anew under the cursor's lock.
 * @param nodes `solidBlock` leaves out the nodes named. @param options.due which of them; default: all.
 * @returns for each block what was done.
 */
export async function settleDue(
  pool: Pool,
  rules: CreditRules,
  nodes: SecondNodes,
  options: { signal?: AbortSignal | undefined; pageMax?: number; due?: readonly Due[] } = {},
): Promise<Settled[]> {
  const { due = ['proof', 'parked'], pageMax = heightsMax } = options
  const settled: Settled[] = []
  for (const height of await dueHeights(pool, due, pageMax)) {
    if (options.signal?.aborted) break
    settled.push(await settleBlock(pool, rules, nodes, height))
  }
  return settled
}

async function settleBlock(
  pool: Pool,
  rules: CreditRules,
  nodes: SecondNodes,
  height: number,
): Promise<Settled> {
  const pending = await unprovedAt(pool, [height])
  const block =
    (await parkedAt(pool, [height])).get(height) ?? (await unsettledAt(pool, [height])).get(height)
  const { hostOf } = rules.proof ?? oneHost
  const { readings } = await readEverywhere(nodes, height, {
    last: [...new Set(pending.map(({ node }) => node))],
    enough: readings => isEnough(readings, { pending, block, hostOf }),
  })
  failpoint('settle:after-reading')
  return await inCreditingTransaction(pool, async (tx, credit) => {
    // Locked so that no other transaction credits.
    const cursor = await lockCursor(tx)
    assert(cursor, 'what waits for proof was followed')
    const read = cursor.height < height ? false : await takeParked(tx, height, readings)
    const done = await applyReadings(tx, { rules, credit, cursor, height, readings })
    failpoint('settle:before-commit')
    return read ? { ...done, read } : done
  })
}

/**
 * Takes a parked block as soon as some host can give it: it is followed now, and what is not verified in it is read again like that
 * of any other.
 * @returns whether it was parked and is not any more.
 */
async function takeParked(tx: Tx, height: number, readings: readonly SolidBlock[]): Promise<boolean> {
  const parked = (await parkedAt(tx, [height])).get(height)
  if (!parked) return false
  const shown = readings.filter(({ hash }) => hash === parked.hash)
  const best = shown.find(({ unverified }) => unverified === null) ?? shown[0]
  if (!best) {
    await noteStillParked(tx, height, nextBlockCheckMs(parked.checks, parked.ageMs))
    return false
  }
  await endParked(tx, [best])
  await wakeParked(tx)
  await insertUnverified(tx, [best])
  await recordContractEvents(tx, [best])
  return true
}

interface Work {
  rules: CreditRules
  credit: CreditStep
  cursor: LockedCursor
  height: number
  readings: readonly SolidBlock[]
}

async function applyReadings(tx: Tx, work: Work): Promise<Settled> {
  const { rules, credit, cursor, height } = work
  const proof = rules.proof ?? oneHost
  const before = await unprovedAt(tx, [height])
  const block = (await unsettledAt(tx, [height])).get(height)
  // The solidified chain has no forks: whoever shows another block says nothing about ours.
  const ours = await hashOf(tx, height, [...before, ...(block ? [block] : [])])
  const readings = cursor.height < height ? [] : work.readings.filter(({ hash }) => hash === ours)
  await noteChecked(tx, checkedBy(before, readings, proof))
  const quarantined = await quarantineLogs(tx, readings)
  const done = await recordProved(tx, rules, readings, cursor.startHeight + 1)
  await resolveDecodedLogs(tx, done.recorded)
  await endLogRejections(tx, done.recorded)
  const { rejected, freed } = await rejectDenied(tx, proof, await unprovedAt(tx, [height]), {
    readings,
    followed: ours,
  })
  if (block) await settleOne(tx, work, block, readings)
  const addressIds = addressesOf(done.recorded, [...done.freed, ...freed])
  const { credits, deposits = 0 }: Pick<Credited, 'credits' | 'deposits'> =
    addressIds.length + quarantined > 0
      ? await credit(
          tx,
          rules,
          [...(await waitingAt(tx, addressIds)), ...newlyPending(rules, done.recorded)],
          cursor.time,
        )
      : { credits: 0 }
  const { recorded, takenUp } = done
  return { height, recorded: recorded.length, credits: credits + deposits, rejected, takenUp }
}

/** Names the block that was followed at this height. An old one may have no recorded header. */
async function hashOf(
  tx: Tx,
  height: number,
  waits: readonly { hash: string }[],
): Promise<string | undefined> {
  const [header] = await readHeaders(tx, { from: height, to: height })
  return header?.hash ?? waits[0]?.hash
}

/** What the readings say of each version that waits or is rejected. */
function checkedBy(
  pending: readonly PendingProof[],
  readings: readonly SolidBlock[],
  { hostOf }: ProofRules,
): CheckedProof[] {
  return pending.map(one => {
    const showing = new Set(readings.filter(reading => shows(reading, one)).map(({ node }) => hostOf(node)))
    const denying = readings
      .filter(reading => canDeny(reading, one.hash) && !shows(reading, one))
      .map(({ node }) => hostOf(node))
    const denied = new Set([...one.denied, ...denying].filter(host => !showing.has(host)))
    const next =
      one.rejectedMs === null ? nextCheckMs(one.checks, one.ageMs) : nextCheckOfRejectedMs(one.rejectedMs)
    return {
      id: one.id,
      hosts: [...new Set([...one.hosts, ...showing])].sort(),
      denied: [...denied].sort(),
      nextCheckMs: next,
    }
  })
}

/** Rejects what two hosts deny in these readings, or what the only host goes on leaving out. */
async function rejectDenied(
  tx: Tx,
  { hosts, hostOf }: ProofRules,
  pending: readonly PendingProof[],
  { readings, followed }: { readings: readonly SolidBlock[]; followed: string | undefined },
): Promise<{ rejected: Settled['rejected']; freed: DepositAddressId[] }> {
  const rejected: Settled['rejected'] = []
  const freed: DepositAddressId[] = []
  for (const one of pending.filter(({ endedAs }) => endedAs === null)) {
    const showing = new Set(readings.filter(reading => shows(reading, one)).map(({ node }) => hostOf(node)))
    const denying = new Set(
      readings.filter(reading => canDeny(reading, one.hash)).map(({ node }) => hostOf(node)),
    )
    for (const host of showing) denying.delete(host)
    // The chain was rewound: another block was followed instead.
    const isOrphan = one.hash !== followed
    const isMadeUp =
      denying.size >= 2 || (hosts <= 1 && denying.size === 1 && (one.deniedMs ?? 0) >= leftOutMs)
    if (!isMadeUp && !isOrphan) continue
    const because = isOrphan
      ? 'its block is not the one that is followed'
      : `${[...denying].sort().join(' and ')} ${denying.size === 1 ? 'goes on showing' : 'show'} its block without it`
    const nextCheck = nextCheckOfRejectedMs(0)!
    const addressId = await rejectPending(tx, one.id, { because, by: null, nextCheckMs: nextCheck })
    if (addressId === null) continue
    const { txid, logIndex, to, node } = one
    const facts = { txid, logIndex, to, amount: `${one.amount}` }
    await recordAudit(tx, {
      ...{
        actor: 'watcher',
        reason: because,
        action: 'proof.rejected',
        subject: `transfer p${one.id}`,
        addressId,
      },
      detail: { ...facts, node },
    })
    rejected.push({ id: `p${one.id}`, ...facts, because })
    freed.push(addressId)
  }
  return { rejected, freed }
}

async function settleOne(
  tx: Tx,
  { rules: { proof = oneHost }, cursor }: Work,
  block: UnverifiedBlock,
  readings: readonly SolidBlock[],
): Promise<void> {
  const { hosts, hostOf } = proof
  const alike = await alikeFor(tx, readings, cursor.startHeight + 1)
  const settledAs = settlesAs(block, readings, { hosts, hostOf, alike })
  if (settledAs) await settleBlocks(tx, [block], settledAs)
  else {
    const next = nextBlockCheckMs(block.checks, block.ageMs)
    await noteUnsettled(tx, block.height, { nextCheckMs: next, wasRead: readings.length > 0 })
  }
}

import type { DepositAddressId, PendingProofId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import { type Queryable, rows, run, type Tx } from '../db/pool.ts'
import type { ChainPlace } from '../transfers/transfer.ts'
import type { TronAddress } from '../tron/address.ts'

// version: a transfer as some host showed it. (txid, logIndex) names the transfer; recipient, sender, amount and block make the
// version. One at most is true.
// waits: not ended.   ended: `credited`, it is in transfer now; or `rejected`, it seems made up, until it is proved after all.

/** One version of a transfer, as it is compared. */
export interface Version {
  txid: string
  logIndex: number
  depositAddressId: DepositAddressId
  from: TronAddress
  amount: UsdtUnits
  hash: string
}

/** A version that waits for proof, or did. */
export interface PendingProof extends Version, ChainPlace {
  id: PendingProofId
  to: TronAddress
  time: Date
  /** The node that showed it first. */
  node: string
  hosts: string[]
  denied: string[]
  deniedSince: Date | null
  ageMs: number
  /** How long ago it was rejected; null: it was not. */
  rejectedMs: number | null
  /** How long the only host has left it out. */
  deniedMs: number | null
  checks: number
  endedAs: 'credited' | 'rejected' | null
  endedBy: string | null
}

/** Names a version. */
export function versionKey({ txid, logIndex, depositAddressId, from, amount, hash }: Version): string {
  return `${txid} ${logIndex} ${depositAddressId} ${from} ${amount} ${hash}`
}

const columns = `p.id, p.txid, p.log_index as "logIndex", p.deposit_address_id as "depositAddressId", p.from_address as "from",
            a.address as "to", p.amount, p.block_height as "height", p.block_hash as "hash", p.block_time as "time",
            p.tx_index as "txIndex", p.node, p.hosts, p.denied, p.denied_since as "deniedSince", p.checks,
            p.ended_as as "endedAs", p.ended_by as "endedBy",
            (extract(epoch from now() - p.created_at) * 1000)::float8 as "ageMs",
            (extract(epoch from now() - p.denied_since) * 1000)::float8 as "deniedMs",
            (case p.ended_as when 'rejected' then extract(epoch from now() - p.ended_at) * 1000 end)::float8 as "rejectedMs"`
const source = `pending_proof p join deposit_address a on a.id = p.deposit_address_id`

/** Reads every version of these transactions' transfers, ended ones too. */
export async function versionsOfTransactions(tx: Tx, txids: readonly string[]): Promise<PendingProof[]> {
  return rows<PendingProof>(
    tx,
    `select ${columns}
       from ${source}
      where p.txid = any($1::text[])`,
    [[...new Set(txids)]],
  )
}

/** Reads the versions in blocks of these heights that wait or are rejected, in chain order. */
export async function unprovedAt(db: Queryable, heights: readonly number[]): Promise<PendingProof[]> {
  if (heights.length === 0) return []
  return rows<PendingProof>(
    db,
    `select ${columns}
       from ${source}
      where p.block_height = any($1::integer[]) and p.ended_as is distinct from 'credited'
      order by p.block_height, p.tx_index, p.log_index, p.id`,
    [heights],
  )
}

/** Reads one version by its id. @returns null when there is none. */
export async function readPendingProof(db: Queryable, id: PendingProofId): Promise<PendingProof | null> {
  const [found] = await rows<PendingProof>(db, `select ${columns} from ${source} where p.id = $1`, [id])
  return found ?? null
}

/** Where in the chain an address waits for proof. Later transfers to it wait behind that. */
export interface WaitingPlace extends ChainPlace {
  depositAddressId: DepositAddressId
}

/** Reads the first place at which each of these addresses waits for proof. */
export async function waitingPlaces(
  tx: Tx,
  addressIds: readonly DepositAddressId[],
): Promise<WaitingPlace[]> {
  if (addressIds.length === 0) return []
  return rows<WaitingPlace>(
    tx,
    `select distinct on (deposit_address_id) deposit_address_id as "depositAddressId", block_height as "height",
            tx_index as "txIndex", log_index as "logIndex"
       from pending_proof
      where deposit_address_id = any($1::bigint[]) and ended_at is null
      order by deposit_address_id, block_height, tx_index, log_index`,
    [addressIds],
  )
}

/** A version that is to wait. */
export interface NewPendingProof extends Version, ChainPlace {
  time: Date
  node: string
  hosts: readonly string[]
}

/**
 * Lets versions wait for proof. One that is known gets the hosts that showed it now. Nothing is written for a transfer that is
 * recorded, in whatever version.
 * @returns the versions that are new.
 */
export async function insertPendingProofs(
  tx: Tx,
  versions: readonly NewPendingProof[],
): Promise<PendingProofId[]> {
  if (versions.length === 0) return []
  const written = await rows<{ id: PendingProofId; isNew: boolean }>(
    tx,
    `insert into pending_proof as p (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash,
                                     block_time, tx_index, node, hosts)
     select v.txid, v.log_index, v.deposit_address_id, v.from_address, v.amount, v.block_height, v.block_hash,
            v.block_time, v.tx_index, v.node, string_to_array(v.hosts, ' ')
       from unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::bigint[], $6::integer[], $7::text[],
                   $8::timestamptz[], $9::integer[], $10::text[], $11::text[])
              as v (txid, log_index, deposit_address_id, from_address, amount, block_height, block_hash,
                    block_time, tx_index, node, hosts)
      where not exists (select from transfer t where t.txid = v.txid and t.log_index = v.log_index)
     on conflict (txid, log_index, deposit_address_id, from_address, amount, block_hash) do update
        set hosts = array(select distinct unnest(p.hosts || excluded.hosts) order by 1)
     returning p.id, xmax = 0 as "isNew"`,
    [
      versions.map(({ txid }) => txid),
      versions.map(({ logIndex }) => logIndex),
      versions.map(({ depositAddressId }) => depositAddressId),
      versions.map(({ from }) => from),
      versions.map(({ amount }) => amount),
      versions.map(({ height }) => height),
      versions.map(({ hash }) => hash),
      versions.map(({ time }) => time),
      versions.map(({ txIndex }) => txIndex),
      versions.map(({ node }) => node),
      versions.map(({ hosts }) => hosts.join(' ')),
    ],
  )
  return written.filter(({ isNew }) => isNew).map(({ id }) => id)
}

/** A version that ended just now. */
export interface EndedProof {
  id: PendingProofId
  depositAddressId: DepositAddressId
  endedAs: 'credited' | 'rejected'
  wasRejected: boolean
}

/**
 * Ends the versions of transfers that are recorded: the one that is in transfer is credited, even if it was rejected before;
 * the others cannot be true any more.
 */
export async function endRecorded(tx: Tx, txids: readonly string[]): Promise<EndedProof[]> {
  return rows<EndedProof>(
    tx,
    `with compared as (
       select p.id, p.ended_as,
              (t.deposit_address_id, t.from_address, t.amount, t.block_hash)
                = (p.deposit_address_id, p.from_address, p.amount, p.block_hash) as same
         from pending_proof p
         join transfer t on t.txid = p.txid and t.log_index = p.log_index
        where p.txid = any($1::text[])
     )
     update pending_proof p
        set ended_at = now(), ended_by = null, next_check_at = null,
            ended_as = case when c.same then 'credited' else 'rejected' end,
            ended_because = case when not c.same then 'another version of it is recorded' end
       from compared c
      where c.id = p.id and (p.ended_at is null or c.same and p.ended_as = 'rejected')
      returning p.id, p.deposit_address_id as "depositAddressId", p.ended_as as "endedAs",
                coalesce(c.ended_as = 'rejected', false) as "wasRejected"`,
    [[...new Set(txids)]],
  )
}

/** What a reading of its block said of a version. */
export interface CheckedProof {
  id: PendingProofId
  /** The hosts that have shown it so far, and those that left it out in this reading. */
  hosts: readonly string[]
  denied: readonly string[]
  /** When it is read again; null: not by itself. */
  nextCheckMs: number | null
}

/** Writes the results of reading blocks again. Since when a version is denied is kept while it goes on being denied. */
export async function noteChecked(tx: Tx, checked: readonly CheckedProof[]): Promise<void> {
  if (checked.length === 0) return
  await run(
    tx,
    `update pending_proof p
        set hosts = string_to_array(c.hosts, ' '), denied = string_to_array(c.denied, ' '),
            denied_since = case when c.denied <> '' then coalesce(p.denied_since, now()) end,
            checks = checks + 1, checked_at = now(),
            next_check_at = now() + c.next_ms * interval '1 ms'
       from unnest($1::bigint[], $2::text[], $3::text[], $4::float8[]) as c (id, hosts, denied, next_ms)
      where p.id = c.id and p.ended_as is distinct from 'credited'`,
    [
      checked.map(({ id }) => id),
      checked.map(({ hosts }) => hosts.join(' ')),
      checked.map(({ denied }) => denied.join(' ')),
      checked.map(({ nextCheckMs }) => nextCheckMs),
    ],
  )
}

/**
 * Rejects a version that waits.
 * @param rejection.by null: the watcher. @param rejection.nextCheckMs when it is read again all the same.
 * @returns its address; null when it does not wait.
 */
export async function rejectPending(
  tx: Tx,
  id: PendingProofId,
  rejection: { because: string; by: string | null; nextCheckMs: number },
): Promise<DepositAddressId | null> {
  const [rejected] = await rows<{ addressId: DepositAddressId }>(
    tx,
    `update pending_proof
        set ended_at = now(), ended_as = 'rejected', ended_because = left($2, 500), ended_by = $3,
            next_check_at = now() + $4 * interval '1 ms'
      where id = $1 and ended_at is null
      returning deposit_address_id as "addressId"`,
    [id, rejection.because, rejection.by, rejection.nextCheckMs],
  )
  return rejected?.addressId ?? null
}

/** Lets a rejected version wait again, to be read again at once. @returns its address; null when it is not rejected. */
export async function reopenPending(tx: Tx, id: PendingProofId): Promise<DepositAddressId | null> {
  const [reopened] = await rows<{ addressId: DepositAddressId }>(
    tx,
    `update pending_proof p
        set ended_at = null, ended_as = null, ended_because = null, ended_by = null, denied = '{}', denied_since = null,
            checks = 0, next_check_at = now()
      where id = $1 and ended_as = 'rejected'
        and not exists (select from transfer t where t.txid = p.txid and t.log_index = p.log_index)
      returning deposit_address_id as "addressId"`,
    [id],
  )
  return reopened?.addressId ?? null
}

/** How many versions wait, their sum, and how long the first has waited. */
export interface UnprovedCounts {
  transfers: number
  units: UsdtUnits
  oldestMs: number
  blocks: number
  oldestBlockMs: number
}

/** Counts what waits for proof, and the unverified blocks. */
export async function unprovedCounts(db: Queryable): Promise<UnprovedCounts> {
  const [counts] = await rows<UnprovedCounts>(
    db,
    `select p.transfers, p.units, p."oldestMs", b.blocks, b."oldestBlockMs"
       from (select count(*)::integer as transfers, coalesce(sum(amount), 0)::bigint as units,
                    coalesce(extract(epoch from now() - min(created_at)) * 1000, 0)::float8 as "oldestMs"
               from pending_proof where ended_at is null) p,
            (select count(*)::integer as blocks,
                    coalesce(extract(epoch from now() - min(created_at)) * 1000, 0)::float8 as "oldestBlockMs"
               from unverified_block where settled_at is null) b`,
  )
  return counts!
}

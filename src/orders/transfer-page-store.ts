import type { MerchantId } from '../base/ids.ts'
import type { UsdtUnits } from '../base/money.ts'
import { type Pool, rows, type Tx } from '../db/pool.ts'
import { inReadSnapshot } from '../db/read-pool.ts'
import type { TronAddress } from '../tron/address.ts'
import {
  comparePlaces,
  type ListedTransfer,
  type SeenTransfer,
  type TransferFilter,
  type TransferPlace,
} from './listed-transfer.ts'

export interface TransferPage {
  /** Newest first: at most one more than the limit, which tells that there is a next page. */
  transfers: ListedTransfer[]
  /** The place where reading stopped before the page was full; null: nothing older was left out. */
  stoppedAt: TransferPlace | null
  /** Only of a first page without a state. */
  seen: SeenTransfer[]
}

/** Transfers of all merchants that are read to fill one page. */
const scanMax = 20_000
/** A merchant's addresses whose transfers are read one by one where such a scan does not fill the page. */
const addressesMax = 10_000
/** Sightings in an answer. */
const seenMax = 100

/** Reads a page of the transfers to a merchant's addresses, in one snapshot. */
export function readTransferPage(
  pool: Pool,
  merchantId: MerchantId,
  filter: TransferFilter,
): Promise<TransferPage> {
  return inReadSnapshot(pool, async tx => {
    const { state, after } = filter
    const { transfers, stoppedAt } = await recorded(tx, merchantId, filter)
    const pending =
      state === undefined || state === 'held' ? await waitingForProof(tx, merchantId, filter) : []
    const read = pending.filter(one => stoppedAt === null || comparePlaces(one, stoppedAt) >= 0)
    return {
      transfers: [...transfers, ...read].sort((a, b) => comparePlaces(b, a)).slice(0, filter.limit + 1),
      stoppedAt,
      seen: state === undefined && after === null ? await seenTransfers(tx, merchantId, filter) : [],
    }
  })
}

/**
 * Reads recorded transfers. Each way starts from the table in which the filter leaves the fewest rows. Without a filter that
 * is `transfer`, from the newest on, until the page is full: so its cost is bounded for a merchant with a million addresses,
 * too. A merchant of few addresses, whose transfers may be far apart there, is read by address instead.
 */
async function recorded(
  tx: Tx,
  merchantId: MerchantId,
  filter: TransferFilter,
): Promise<Pick<TransferPage, 'transfers' | 'stoppedAt'>> {
  const { state, txid, address, localusermark, limit } = filter
  const read = async (candidates: Candidates) => ({
    transfers: await readCandidates(tx, candidates, conditionsOf(merchantId, filter, 'transfer')),
    stoppedAt: null,
  })
  if (state === 'unclaimed' || state === 'held') return read(amongWaiting(state))
  if (state === 'rejected') return read(among('rejection'))
  if (state === 'settled_outside') return read(among('settled_transfer'))
  if (txid !== undefined) return read(ofTransaction)
  if (address !== undefined || localusermark !== undefined) return read(byAddress)
  const scanned = await read(newestOfAll)
  if (scanned.transfers.length > limit) return scanned
  const stoppedAt = await endOfScan(tx, filter.after)
  if (stoppedAt === null) return scanned
  return (await hasManyAddresses(tx, merchantId)) ? { ...scanned, stoppedAt } : read(byAddress)
}

/** Writes a query of transfers `t.*`, with their address and its user, in the page's order. */
type Candidates = (conditions: Conditions) => string

interface Conditions {
  values: unknown[]
  /** About the address `d`: whose it is. */
  owned: string
  /** About the transfer `t`: where the page begins, and which transaction. */
  placed: string
  /** About the transfer `t`. */
  credited: string
  limit: string
}

const newestFirst = 'order by t.block_height desc, t.tx_index desc, t.log_index desc'

function conditionsOf(
  merchantId: MerchantId,
  { state, txid, address, localusermark, after, limit }: TransferFilter,
  source: 'transfer' | 'pending_proof',
): Conditions {
  const values: unknown[] = [merchantId]
  const bind = (value: unknown, type: string) => `$${values.push(value)}::${type}`
  // Addresses that were skipped after a restore belong to no user yet.
  const owned = ['d.merchant_id = $1', "d.localusermark <> ''"]
  if (address !== undefined) owned.push(`d.address = ${bind(address, 'text')}`)
  if (localusermark !== undefined) owned.push(`d.localusermark = ${bind(localusermark, 'text')}`)
  const placed = ['true']
  if (txid !== undefined) placed.push(`t.txid = ${bind(txid, 'text')}`)
  if (after !== null) {
    const { height, txIndex, logIndex, pendingId } = after
    const place = [height, txIndex, logIndex].map(part => bind(part, 'integer')).join(', ')
    // At one place what waits for proof comes before what is recorded.
    placed.push(
      source === 'transfer'
        ? `(t.block_height, t.tx_index, t.log_index) ${pendingId === 0n ? '<' : '<='} (${place})`
        : `(t.block_height, t.tx_index, t.log_index, t.id) < (${place}, ${bind(pendingId, 'bigint')})`,
    )
  }
  return {
    values,
    owned: owned.join(' and '),
    placed: placed.join(' and '),
    credited:
      state === 'credited' || state === 'deposit'
        ? `exists (select from credit where transfer_id = t.id and (order_id is null) = ${state === 'deposit'})`
        : 'true',
    limit: bind(limit + 1, 'integer'),
  }
}

const amongWaiting =
  (state: 'unclaimed' | 'held'): Candidates =>
  ({ owned, placed, limit }) =>
    `
    select t.*, d.address, d.localusermark
      from waiting_transfer w
      join deposit_address d on d.id = w.deposit_address_id
      join transfer t on t.id = w.transfer_id
     where w.merchant_id = $1 and w.reason ${state === 'held' ? '<>' : '='} 'unclaimed' and ${owned} and ${placed}
     ${newestFirst}
     limit ${limit}`

const among =
  (table: 'rejection' | 'settled_transfer'): Candidates =>
  ({ owned, placed, limit }) =>
    `
    select t.*, d.address, d.localusermark
      from ${table} r
      join transfer t on t.id = r.transfer_id
      join deposit_address d on d.id = t.deposit_address_id
     where ${owned} and ${placed}
     ${newestFirst}
     limit ${limit}`

const ofTransaction: Candidates = ({ owned, placed, credited, limit }) => `
    select t.*, d.address, d.localusermark
      from transfer t
      join deposit_address d on d.id = t.deposit_address_id
     where ${owned} and ${placed} and ${credited}
     ${newestFirst}
     limit ${limit}`

const byAddress: Candidates = ({ owned, placed, credited, limit }) => `
    select t.*, d.address, d.localusermark
      from deposit_address d
     cross join lateral (
       select *
         from transfer t
        where t.deposit_address_id = d.id and ${placed} and ${credited}
        ${newestFirst}
        limit ${limit}
     ) t
     where ${owned}
     ${newestFirst}
     limit ${limit}`

// The offset keeps the order of the scan: it ends as soon as the page is full.
const newestOfAll: Candidates = ({ owned, placed, credited, limit }) => `
    select t.*, d.address, d.localusermark
      from (select * from transfer t where ${placed} ${newestFirst} limit ${scanMax}) t
     cross join lateral (
       select address, localusermark
         from deposit_address d
        where d.id = t.deposit_address_id and ${owned}
       offset 0
     ) d
     where ${credited}
     ${newestFirst}
     limit ${limit}`

/** Reads the candidates with what has become of them. A transfer is credited, a deposit, waits, is rejected or settled outside. */
function readCandidates(tx: Tx, candidates: Candidates, conditions: Conditions): Promise<ListedTransfer[]> {
  return rows<ListedTransfer>(
    tx,
    `select t.txid, t.address, t.localusermark, t.from_address as "from", t.amount, ${placeColumns},
            0::bigint as "pendingId", o.orderid, b.key as "depositId",
            case when c.deposit_address_id is not null then coalesce(b.body_amount, 0) end as "depositAmount",
            case when c.deposit_address_id is not null then 'deposit'
                 when c.id is not null then 'credited'
                 when w.reason = 'unclaimed' then 'unclaimed'
                 when w.reason is not null then 'held'
                 when s.mark_id is not null then 'settled_outside'
                 else 'rejected' end as state,
            case w.reason when 'held' then 'confirmation'
                          when 'quarantined' then 'quarantine'
                          when 'behind' then 'behind' end as reason
       from (${candidates(conditions)}) t
       left join credit c on c.transfer_id = t.id
       left join recharge_order o on o.id = c.order_id
       left join callback b on b.credit_id = c.id and c.deposit_address_id is not null
       left join waiting_transfer w on w.transfer_id = t.id
       left join settled_transfer s on s.transfer_id = t.id`,
    conditions.values,
  )
}

const placeColumns = `t.block_height as "height", t.tx_index as "txIndex", t.log_index as "logIndex", t.block_time as "time"`

/** Reads what waits for proof: it is not recorded as a transfer yet. */
function waitingForProof(tx: Tx, merchantId: MerchantId, filter: TransferFilter): Promise<ListedTransfer[]> {
  const { values, owned, placed, limit } = conditionsOf(merchantId, filter, 'pending_proof')
  return rows<ListedTransfer>(
    tx,
    `select t.txid, d.address, d.localusermark, t.from_address as "from", t.amount, ${placeColumns},
            t.id as "pendingId", null as orderid, null as "depositId", null as "depositAmount", 'held' as state, 'proof' as reason
       from pending_proof t
       join deposit_address d on d.id = t.deposit_address_id
      where t.ended_at is null and ${owned} and ${placed}
      ${newestFirst}, t.id desc
      limit ${limit}`,
    values,
  )
}

/** Reads where a scan of all merchants' transfers stops; null: it reads them to the end. */
async function endOfScan(tx: Tx, after: TransferPlace | null): Promise<TransferPlace | null> {
  const [end] = await rows<TransferPlace>(
    tx,
    `select t.block_height as "height", t.tx_index as "txIndex", t.log_index as "logIndex", 0::bigint as "pendingId"
       from transfer t
      where (t.block_height, t.tx_index, t.log_index) ${after?.pendingId === 0n ? '<' : '<='} ($1, $2, $3)
      ${newestFirst}
     offset ${scanMax - 1}
      limit 1`,
    after ? [after.height, after.txIndex, after.logIndex] : [integerMax, integerMax, integerMax],
  )
  return end ?? null
}

const integerMax = 0x7fffffff

async function hasManyAddresses(tx: Tx, merchantId: MerchantId): Promise<boolean> {
  const [counted] = await rows<{ addresses: bigint }>(
    tx,
    `select count(*) as addresses
       from (select from deposit_address where merchant_id = $1 limit $2) counted`,
    [merchantId, addressesMax + 1],
  )
  return counted!.addresses > addressesMax
}

/** Reads the newest transfers that are on the chain and not irreversible yet. For display only. */
function seenTransfers(
  tx: Tx,
  merchantId: MerchantId,
  { txid, address, localusermark }: TransferFilter,
): Promise<SeenTransfer[]> {
  return rows<{
    txid: string
    address: TronAddress
    localusermark: string
    amount: UsdtUnits
    confirmations: number
  }>(
    tx,
    `select v.txid, d.address, d.localusermark, v.amount, greatest(coalesce(h.height, 0) - v.block_height, 0) as confirmations
       from seen_transfer v
       join deposit_address d on d.id = v.deposit_address_id
       join chain_cursor s on v.block_height > s.height
       left join chain_head h on true
      where d.merchant_id = $1 and d.localusermark <> ''
        and ($2::text is null or v.txid = $2)
        and ($3::text is null or d.address = $3)
        and ($4::text is null or d.localusermark = $4)
      order by v.block_height desc, v.txid, v.log_index
      limit ${seenMax}`,
    [merchantId, txid ?? null, address ?? null, localusermark ?? null],
  )
}

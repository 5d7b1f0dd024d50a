import type { UsdtUnits } from '../../../base/money.ts'
import { readCursor } from '../../../blocks/chain-store.ts'
import { type Queryable, rows } from '../../../db/pool.ts'
import { addressFromHex, addressToHex, parseTronAddress, type TronAddress } from '../../../tron/address.ts'
import type { NodeTransactionInfo } from '../../../tron/node/node-answers.ts'
import { NodeError } from '../../../tron/node/node-error.ts'
import { readUsdtLogs, type UsdtLogs } from '../../../tron/node/solid-block.ts'
import { recipientOf } from '../../../tron/transfer-log.ts'
import type { TransactionAsker, Unasked } from '../asking/ask-transaction.ts'
import type { SearchScope } from './search-hit.ts'

/** Where a transaction is: in a block that a fork may still replace, as far as the node says. */
interface InBlock {
  /** Which node says so; null for who is not told. */
  node: string | null
  height: number
  time: Date
}

/** A transfer to an address of the merchant. */
export interface OwnTransfer {
  address: TronAddress
  amount: UsdtUnits
}

/**
 * What a transaction that is not recorded is, by the word of one node.
 * unknown: in no block that the node has; failed: it moved nothing; no_token: it moved no token, TRX perhaps; other_token: to an
 * address of the merchant, or to none (`toOwn`); elsewhere: USDT, and not to an address of the merchant; not_yet: it will be
 * recorded when its block is; before: its block is from before the address was watched; missing: it should be recorded, and is not.
 */
export type LookUpAnswer =
  | { kind: 'unasked'; why: Unasked }
  | { kind: 'unknown'; node: string | null }
  | ({ kind: 'failed' | 'no_token' } & InBlock)
  | ({ kind: 'other_token'; contract: TronAddress; toOwn: boolean } & InBlock)
  | ({ kind: 'elsewhere'; to: TronAddress[] } & InBlock)
  | ({ kind: 'not_yet'; blocksToGo: number; transfers: OwnTransfer[] } & InBlock)
  | ({ kind: 'before' | 'missing'; transfers: OwnTransfer[] } & InBlock)

/** A payment has one recipient. Of a transaction with more than these the rest is not looked at. */
const recipientsMax = 200
const shownMax = 3

/**
 * Looks up a transaction that is not among the scope's own. For a merchant, one that pays another merchant is one that pays
 * nobody known: nothing of the answer, or of the way to it, depends on other merchants.
 * @param txid 64 lower-case hex digits.
 */
export async function lookUpTransfer(
  db: Queryable,
  asker: TransactionAsker,
  scope: SearchScope,
  txid: string,
): Promise<LookUpAnswer> {
  const word = await asker.ask(txid, scope)
  if (typeof word === 'string') return { kind: 'unasked', why: word }
  // The names of nodes are the operator's business.
  const node = scope === null ? word.node : null
  const { info } = word
  if (info === null) return { kind: 'unknown', node }
  const at: InBlock = { node, height: info.height, time: new Date(info.timeMs) }
  if (info.failed) return { kind: 'failed', ...at }
  return (await judge(db, scope, info, at)) ?? { kind: 'unasked', why: 'failed' }
}

/** @returns null when what the node said cannot be read. */
async function judge(
  db: Queryable,
  scope: SearchScope,
  info: NodeTransactionInfo,
  at: InBlock,
): Promise<LookUpAnswer | null> {
  const cursor = await readCursor(db)
  const usdtContract = cursor && parseTronAddress(cursor.usdtContract)
  if (!usdtContract) return { kind: 'unasked', why: 'not_watched' }
  const transfers = transfersOf(info, addressToHex(usdtContract))
  if (!transfers) return null
  const others = otherTokens(info, addressToHex(usdtContract))
  const own = await readOwn(
    db,
    scope,
    [...transfers, ...others].map(({ toHex }) => toHex),
  )
  const paid = transfers.filter(({ toHex }) => own.has(toHex))
  if (paid.length > 0) {
    const ownTransfers = paid.map(({ toHex, amount }) => ({ address: addressFromHex(toHex), amount }))
    if (at.height > cursor.height)
      return { kind: 'not_yet', blocksToGo: at.height - cursor.height, transfers: ownTransfers, ...at }
    const isBefore =
      at.height <= cursor.startHeight || paid.every(({ toHex }) => (own.get(toHex) ?? 0) > at.height)
    return { kind: isBefore ? 'before' : 'missing', transfers: ownTransfers, ...at }
  }
  const other = others.find(({ toHex }) => own.has(toHex))
  if (other) return { kind: 'other_token', contract: addressFromHex(other.contractHex), toOwn: true, ...at }
  if (transfers.length > 0) {
    const to = [...new Set(transfers.map(({ toHex }) => toHex))].slice(0, shownMax)
    return { kind: 'elsewhere', to: to.map(addressFromHex), ...at }
  }
  const [token] = others
  if (token) return { kind: 'other_token', contract: addressFromHex(token.contractHex), toOwn: false, ...at }
  return { kind: 'no_token', ...at }
}

function transfersOf(info: NodeTransactionInfo, usdtContract: string) {
  const found: UsdtLogs = { transfers: [], undecodable: [], alarms: [], undone: [] }
  try {
    readUsdtLogs(info, 0, usdtContract, found)
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    return null
  }
  return found.transfers.slice(0, recipientsMax)
}

/** Lists the transfers of other tokens. Their amounts are in units that we do not know. */
function otherTokens(info: NodeTransactionInfo, usdtContract: string) {
  if (!info.succeeded) return []
  return info.logs
    .flatMap(log => {
      const toHex = log.address === usdtContract ? null : recipientOf(log)
      return toHex === null ? [] : [{ contractHex: log.address, toHex }]
    })
    .slice(0, recipientsMax)
}

/** Reads which of the addresses are the scope's, and the first block that counts for each: null for all that is followed. */
async function readOwn(
  db: Queryable,
  scope: SearchScope,
  hex20: readonly string[],
): Promise<Map<string, number | null>> {
  const found = await rows<{ hex: string; watchedFrom: number | null }>(
    db,
    `select encode(address_bytes, 'hex') as hex, watched_from as "watchedFrom"
       from deposit_address
      where address_bytes = any($2::bytea[]) and ($1::bigint is null or (merchant_id = $1 and localusermark <> ''))`,
    [scope, [...new Set(hex20)].map(hex => Buffer.from(hex, 'hex'))],
  )
  return new Map(found.map(({ hex, watchedFrom }) => [hex, watchedFrom]))
}

import { type UsdtUnits, usdt } from '../../base/money.ts'
import { parseTronAddress, type TronAddress } from '../address.ts'
import { asList, asObject, wrongField } from '../node/answer-fields.ts'
import { usdtUnitsMax } from '../transfer-log.ts'

/** A USDT transfer to an address as TronGrid lists it. It has no log index: equal transfers of a transaction look the same. */
export interface HistoryRow {
  txid: string
  from: TronAddress
  to: TronAddress
  /** Above 0. */
  amount: UsdtUnits
  blockTimeMs: number
  /** Only solidified rows are kept. */
  unconfirmed: false
}

/** One page of an address's history. */
export interface HistoryPage {
  rows: HistoryRow[]
  /** Names the next page; null when there is none, or when the provider lost it. */
  fingerprint: string | null
}

const txidPattern = /^[0-9a-f]{64}$/
const valuePattern = /^(0|[1-9][0-9]{0,77})$/
const fingerprintMax = 2_000

/**
 * Reads an answer of /v1/accounts/{address}/transactions/trc20. The filters of the request are applied again: it leaves out
 * tokens of other contracts, approvals, transfers from the address, rows that are not solidified and zero amounts.
 * @throws NodeError for anything that is not a page, and for a row that counts and cannot be read.
 */
export function readHistoryPage(
  answer: unknown,
  { to, usdtContract }: { to: TronAddress; usdtContract: TronAddress },
): HistoryPage {
  const page = asObject(answer, 'the page')
  if (page.success !== true) throw wrongField('success', 'true', page.success)
  const meta = page.meta === undefined ? {} : asObject(page.meta, 'meta')
  return {
    rows: asList(page.data, 'data').flatMap(value => {
      const row = asObject(value, 'a row')
      const token = asObject(row.token_info, 'token_info').address
      if (typeof token !== 'string') throw wrongField('token_info.address', 'an address', token)
      const counts = token === usdtContract && row.type === 'Transfer' && row.to === to && isConfirmed(row)
      if (!counts) return []
      const read = readRow(row, to)
      return read.amount > 0n ? [read] : []
    }),
    fingerprint: readFingerprint(meta.fingerprint),
  }
}

function isConfirmed(row: Record<string, unknown>): boolean {
  return row._unconfirmed === undefined || row._unconfirmed === false
}

function readRow(row: Record<string, unknown>, to: TronAddress): HistoryRow {
  const { transaction_id: txid, value, block_timestamp: blockTimeMs } = row
  if (typeof txid !== 'string' || !txidPattern.test(txid))
    throw wrongField('transaction_id', '64 hex digits', txid)
  const from = typeof row.from === 'string' ? parseTronAddress(row.from) : null
  if (!from) throw wrongField('from', 'an address', row.from)
  if (typeof value !== 'string' || !valuePattern.test(value)) throw wrongField('value', 'decimal text', value)
  const amount = BigInt(value)
  if (amount > usdtUnitsMax) throw wrongField('value', `at most ${usdtUnitsMax}`, value)
  if (!Number.isSafeInteger(blockTimeMs) || (blockTimeMs as number) < 0) {
    throw wrongField('block_timestamp', 'milliseconds', blockTimeMs)
  }
  return { txid, from, to, amount: usdt(amount), blockTimeMs: blockTimeMs as number, unconfirmed: false }
}

function readFingerprint(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string' && value.length <= fingerprintMax) return value
  throw wrongField('meta.fingerprint', 'a short text', value)
}

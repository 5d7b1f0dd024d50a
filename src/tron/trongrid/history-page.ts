import { parseTronAddress, type TronAddress } from '../address.ts'
import { NodeError } from '../node/node-error.ts'

/** A USDT transfer to an address as TronGrid lists it: without its place, so two equal ones in a transaction look alike. */
export interface HistoryRow {
  txid: string
  from: TronAddress
  to: TronAddress
  /** Base units, above 0. */
  amount: bigint
  blockTimeMs: number
  /** Rows that are not solidified are left out. */
  unconfirmed: false
}

/** One page of an address's history. */
export interface HistoryPage {
  rows: HistoryRow[]
  /** Asks for the next page; null: there is none, or the provider forgot to say so. */
  fingerprint: string | null
}

const txidPattern = /^[0-9a-f]{64}$/
const valuePattern = /^(0|[1-9][0-9]{0,77})$/
const fingerprintMax = 2_000
/** What a bigint column holds; all the USDT there is stays far below. */
const amountMax = 2n ** 63n - 1n

/**
 * Reads an answer of /v1/accounts/{address}/transactions/trc20, whatever it is. The filters asked for are applied again:
 * other tokens, whatever they call themselves, approvals, what was sent and what is not solidified yet is left out, and so
 * are zero amounts.
 * @throws NodeError for anything that is not a page, and for a row that counts and cannot be read.
 */
export function readHistoryPage(
  answer: unknown,
  { to, usdtContract }: { to: TronAddress; usdtContract: TronAddress },
): HistoryPage {
  const page = object(answer, 'the page')
  if (page.success !== true) throw wrong('success', 'true', page.success)
  if (!Array.isArray(page.data)) throw wrong('data', 'a list', page.data)
  const meta = page.meta === undefined ? {} : object(page.meta, 'meta')
  return {
    rows: page.data.flatMap(value => {
      const row = object(value, 'a row')
      const token = object(row.token_info, 'token_info').address
      if (typeof token !== 'string') throw wrong('token_info.address', 'an address', token)
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
    throw wrong('transaction_id', '64 hex digits', txid)
  const from = typeof row.from === 'string' ? parseTronAddress(row.from) : null
  if (!from) throw wrong('from', 'an address', row.from)
  if (typeof value !== 'string' || !valuePattern.test(value)) throw wrong('value', 'decimal text', value)
  const amount = BigInt(value)
  if (amount > amountMax) throw wrong('value', `at most ${amountMax}`, value)
  if (!Number.isSafeInteger(blockTimeMs) || (blockTimeMs as number) < 0) {
    throw wrong('block_timestamp', 'milliseconds', blockTimeMs)
  }
  return { txid, from, to, amount, blockTimeMs: blockTimeMs as number, unconfirmed: false }
}

function readFingerprint(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string' && value.length <= fingerprintMax) return value
  throw wrong('meta.fingerprint', 'a short text', value)
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw wrong(name, 'an object', value)
}

function wrong(name: string, expected: string, value: unknown): NodeError {
  const got = JSON.stringify(value)?.slice(0, 100) ?? 'nothing'
  return new NodeError('failed', `${name} should be ${expected}, got ${got}`)
}

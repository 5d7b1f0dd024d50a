import { type AddressReceived, listReceived } from '../addresses/list-received.ts'
import type { Config } from '../base/config.ts'
import type { Cell } from '../base/csv.ts'
import { UsageError } from '../base/errors.ts'
import { formatUsdt } from '../base/money.ts'
import type { Pool } from '../db/pool.ts'
import { findMerchantId } from '../merchants/merchant-store.ts'
import { accountNumberOf, deriveAddress, parseAccountKey } from '../tron/account-key.ts'
import { type Balances, openBalances } from './open-balances.ts'
import { printCsv } from './print-csv.ts'

export interface AddressExport {
  merchant?: string
  all?: true
  balance?: true
  bom?: true
}

/** So many addresses have their balances read, as of one height or later, and are printed. */
const balancesAtOnce = 100
/** So many addresses in a row without an answer mean that the node is gone. Fewer are left empty and counted. */
const failuresMax = 5

const columns = ['path', 'account', 'address', 'appid', 'localusermark', 'username', 'kind', 'received_usdt']
const balanceColumns = ['balance_usdt', 'balance_height']

/**
 * Prints addresses as CSV, for whoever collects the money: as they are when it begins.
 * @param pool for `readInPages`.
 * @returns how many balances could not be read.
 * @throws UsageError for an unknown merchant, or when no node can be asked; NodeError when the node stops answering.
 */
export async function exportAddresses(pool: Pool, config: Config, asked: AddressExport): Promise<number> {
  const { merchant } = asked
  if (merchant !== undefined && (await findMerchantId(pool, merchant)) === null)
    throw new UsageError(`no merchant has the appid "${merchant}"`)
  const balances = asked.balance ? await openBalances(pool, config) : null
  const read = balances && readBalances(balances)
  const places = new Map<string, { path: string; first: string }>()
  async function* pages() {
    for await (const page of listReceived(pool, { appid: merchant ?? null, all: asked.all ?? false })) {
      for (let from = 0; from < page.length; from += balancesAtOnce) {
        const part = page.slice(from, from + balancesAtOnce)
        const held = (await read?.page(part)) ?? []
        yield part.map((one, i): Cell[] => [...cellsOf(one, places), ...(held[i] ?? [])])
      }
    }
  }
  try {
    await printCsv(balances ? [...columns, ...balanceColumns] : columns, pages(), asked)
    return read?.failed() ?? 0
  } finally {
    await balances?.close()
  }
}

function cellsOf(one: AddressReceived, places: Map<string, { path: string; first: string }>): Cell[] {
  const { xpub, index, address, appid, localusermark, username, kind, received } = one
  const place = xpub === null ? null : placeOf(xpub, places)
  return [
    place && `${place.path}/0/${index}`,
    place?.first ?? null,
    ...[address, appid, localusermark, username, kind, formatUsdt(received)],
  ]
}

/**
 * Names an account by its path and its first address. The extended key itself is not printed: with one private key of an
 * address beside it, all others can be computed.
 */
function placeOf(xpub: string, places: Map<string, { path: string; first: string }>) {
  const known = places.get(xpub)
  if (known) return known
  const key = parseAccountKey(xpub)
  const place = { path: `m/44'/195'/${accountNumberOf(key)}'`, first: deriveAddress(key, 0) }
  places.set(xpub, place)
  return place
}

function readBalances(balances: Balances) {
  let failed = 0
  let inARow = 0
  const one = async (address: AddressReceived['address'], height: number): Promise<Cell[]> => {
    try {
      const balance = await balances.balanceOf(address)
      inARow = 0
      return [formatUsdt(balance), height]
    } catch (error) {
      failed++
      if (++inARow >= failuresMax) throw error
      return [null, null]
    }
  }
  return {
    async page(addresses: readonly AddressReceived[]): Promise<Cell[][]> {
      const height = await balances.height()
      const cells: Cell[][] = []
      for (const { address } of addresses) cells.push(await one(address, height))
      return cells
    },
    failed: () => failed,
  }
}

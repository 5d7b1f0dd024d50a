import type { Queryable } from '../../../db/pool.ts'
import { readSearch, type SearchedFor } from './read-search.ts'
import { type Hit, type HitPlace, hitPlace, type SearchScope } from './search-hit.ts'
import {
  findAddress,
  findByOrderid,
  findByOrdersn,
  findByPayToken,
  findCallback,
  findOrdersOfAmount,
  findQuarantined,
  findTransfers,
  findUsers,
  findWaitingOfAmount,
  hitsMax,
} from './search-store.ts'

export interface SearchResult {
  /** What the text was taken for. */
  searched: SearchedFor
  /** Those found by an id first, then by amount. At most 20 of a kind. */
  hits: Hit[]
  /** Kinds of which there are more. */
  more: Hit['kind'][]
  /** The one place where all that was found is shown; null: there are several, or none. */
  opens: HitPlace | null
}

/**
 * Searches for whatever a text names. A merchant finds what is its own, and cannot tell what is another's from what is not there.
 * @param db the pool of the heavy reads.
 * @param scope whose records. null: all merchants', for admins.
 */
export async function search(db: Queryable, scope: SearchScope, text: string): Promise<SearchResult> {
  const searched = readSearch(text)
  const { orderid, localusermark, ordersn, payToken, address, callbackKey, txid, amount } = searched
  const found: Hit[][] = []
  // One after the other: a search takes one connection.
  if (ordersn !== undefined) found.push(await findByOrdersn(db, scope, ordersn))
  if (payToken !== undefined) found.push(await findByPayToken(db, scope, payToken))
  if (callbackKey !== undefined) found.push(await findCallback(db, scope, callbackKey))
  if (txid !== undefined) found.push(await findTransfers(db, scope, txid))
  if (txid !== undefined && scope === null) found.push(await findQuarantined(db, txid))
  if (address !== undefined) found.push(await findAddress(db, scope, address))
  if (orderid !== undefined) found.push(await findByOrderid(db, scope, orderid))
  if (localusermark !== undefined) found.push(await findUsers(db, scope, localusermark))
  if (amount !== undefined) found.push(await findOrdersOfAmount(db, scope, amount))
  if (amount !== undefined) found.push(await findWaitingOfAmount(db, scope, amount))
  const { hits, more } = atMost(once(found.flat()))
  const places = new Map(hits.map(hit => [JSON.stringify(hitPlace(hit)), hitPlace(hit)]))
  return {
    searched,
    hits,
    more,
    opens: more.length === 0 && places.size === 1 ? [...places.values()][0]! : null,
  }
}

/** Leaves out what was found in several ways: an order by its id and by its amount. */
function once(hits: readonly Hit[]): Hit[] {
  return [...new Map(hits.map(hit => [identityOf(hit), hit])).values()]
}

function identityOf(hit: Hit): string {
  switch (hit.kind) {
    case 'order':
      return hit.ordersn
    case 'callback':
      return hit.key
    case 'address':
      return hit.address
    case 'user':
      return JSON.stringify([hit.appid, hit.localusermark])
    case 'transfer':
    case 'quarantine':
      return JSON.stringify([hit.kind, hit.txid, hit.logIndex, hit.kind === 'transfer' && hit.address])
  }
}

function atMost(all: readonly Hit[]): { hits: Hit[]; more: Hit['kind'][] } {
  const counts = new Map<Hit['kind'], number>()
  const hits = all.filter(({ kind }) => {
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    return count <= hitsMax
  })
  return { hits, more: [...counts].filter(([, count]) => count > hitsMax).map(([kind]) => kind) }
}

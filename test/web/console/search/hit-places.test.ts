import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consoleRoutes } from '../../../../src/web/console/console-routes.ts'
import { type Hit, hitPlace, type TransferHit } from '../../../../src/web/console/search/search-hit.ts'

const whose = { appid: 'A', merchantName: 'shop' }
const transfer = {
  ...{ ...whose, kind: 'transfer', transferId: 7n, proofId: null, txid: 'ab'.repeat(32), logIndex: 0 },
  ...{ amount: 1n, time: new Date(), state: 'unclaimed', address: 'T123', localusermark: '1' },
  ...{ ordersn: null, depositKey: null },
} as unknown as TransferHit

const hits: Hit[] = [
  { ...whose, kind: 'order', ordersn: 'cz-1' } as Hit,
  { ...whose, kind: 'user', localusermark: 'a b' },
  { ...whose, kind: 'address', address: 'T123', localusermark: '' },
  { ...whose, kind: 'callback', key: 'cb_1', ordersn: null },
  { kind: 'quarantine', quarantineId: 3n, txid: 'ab'.repeat(32), logIndex: 0, reason: 'odd' },
  transfer,
  { ...transfer, ordersn: 'cz-1' },
  { ...transfer, depositKey: 'dp_1' },
  { ...transfer, transferId: null, proofId: 5n } as unknown as TransferHit,
  { ...transfer, transferId: null },
  { ...transfer, state: 'deposit' },
]

test('each place to which a search leads is a page that is served', () => {
  const pages = consoleRoutes()
    .filter(({ method }) => method === 'GET')
    .map(({ path }) => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`))
  for (const hit of hits) {
    const { path } = hitPlace(hit)
    assert(
      pages.some(page => page.test(path)),
      `${hit.kind}: ${path}`,
    )
  }
})

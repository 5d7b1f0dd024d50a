import { createCursor } from '../../../../src/blocks/chain-store.ts'
import { openConsoleUnderTest } from '../../../support/console-under-test.ts'
import { seedAddress, seedOrder } from '../../../support/seed.ts'
import { seedMerchant } from '../../../support/seed-merchant.ts'
import { seedQuarantine, seedWaiting } from '../../../support/seed-transfer.ts'

/**
 * A shop whose user u1 has paid 3 USDT without an order, whose u2 has an open order of 3 USDT, and 2 and 5 USDT of which are held and
 * quarantined; and another shop with an unclaimed transfer of its own.
 */
export async function openMoneyShop(settings: Record<string, string> = {}) {
  const center = await openConsoleUnderTest(settings)
  const { pool, addPerson } = center
  const chain = {
    network: 'nile',
    genesisId: '0'.repeat(64),
    usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
  }
  await createCursor(pool, chain, { height: 100, hash: 'ab'.repeat(32), time: new Date() })
  const shop = await seedMerchant(pool, { name: 'Red Lantern', callbackUrl: 'https://shop.example/cb' })
  const other = await seedMerchant(pool, { name: 'Other', callbackUrl: 'https://other.example/cb' })
  const of = (merchantId: typeof shop.id, localusermark: string) =>
    seedAddress(pool, { merchantId, localusermark })
  const [u1, u2, u3, u4] = [
    await of(shop.id, 'u1'),
    await of(shop.id, 'u2'),
    await of(shop.id, 'u3'),
    await of(shop.id, 'u4'),
  ]
  const theirs = await of(other.id, 'x1')
  const order = await seedOrder(pool, { addressId: u2.addressId, orderid: 'sh-2' })
  const blockTime = new Date(Date.now() - 3_600_000)
  const wait = (addressId: typeof u1.addressId, reason: string, amount: bigint, height: number) =>
    seedWaiting(pool, { addressId, reason, amount, height, blockTime })
  const unclaimed = await wait(u1.addressId, 'unclaimed', 3_000_000n, 5)
  const held = await wait(u3.addressId, 'held', 2_000_000n, 6)
  const quarantined = await wait(u4.addressId, 'quarantined', 5_000_000n, 7)
  await pool.query(
    `insert into quarantine (txid, log_index, block_height, tx_index, reason, log, transfer_id)
     values ($1, 0, 7, 0, 'its amount was refused (22003)', '{}', $2)`,
    [quarantined.txid, quarantined.transferId],
  )
  await pool.query(`update waiting_transfer set node = 'a' where reason = 'held'`)
  const foreign = await wait(theirs.addressId, 'unclaimed', 7_000_000n, 8)
  await seedQuarantine(pool, { txid: 'cd'.repeat(32), logs: [0] })
  await pool.query(
    `insert into discrepancy (kind, subject, detail) values ('balance_excess', $1, '{"usdt": "5"}')`,
    [u1.address],
  )
  const finance = await addPerson('fin@shop.example', { name: 'Fin', roles: [[shop, 'finance']] })
  const support = await addPerson('sup@shop.example', { name: 'Sup', roles: [[shop, 'support']] })
  return { ...center, shop, other, u1, u2, order, unclaimed, held, quarantined, foreign, finance, support }
}

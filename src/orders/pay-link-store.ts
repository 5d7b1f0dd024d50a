import { type Pool, promptly, rows, run } from '../db/pool.ts'
import { newPayToken } from './pay-link.ts'

/**
 * Gives each order a link that has none: it is of an older version. What another process has given stays.
 * @param ordersns of orders that exist. @returns their tokens by ordersn.
 */
export async function giveLinks(pool: Pool, ordersns: readonly string[]): Promise<Map<string, Buffer>> {
  if (ordersns.length === 0) return new Map()
  await run(pool, {
    name: 'give-pay-links',
    ...promptly,
    text: `insert into pay_link (order_id, token)
           select o.id, given.token
             from unnest($1::text[], $2::bytea[]) as given (ordersn, token)
             join recharge_order o using (ordersn)
            order by o.id
               on conflict (order_id) do nothing`,
    values: [ordersns, ordersns.map(newPayToken)],
  })
  const found = await rows<{ ordersn: string; token: Buffer }>(pool, {
    name: 'read-pay-links',
    ...promptly,
    text: `select o.ordersn, l.token
             from recharge_order o
             join pay_link l on l.order_id = o.id
            where o.ordersn = any($1::text[])`,
    values: [ordersns],
  })
  return new Map(found.map(({ ordersn, token }) => [ordersn, token]))
}

/** Fills in the tokens of orders that were read, where they have none. */
export async function withPayTokens<T extends { ordersn: string; payToken: Buffer | null }>(
  pool: Pool,
  orders: readonly (T | null)[],
): Promise<((T & { payToken: Buffer }) | null)[]> {
  const without = orders.filter(order => order !== null && order.payToken === null)
  const given = await giveLinks(
    pool,
    without.map(order => order!.ordersn),
  )
  return orders.map(order => order && { ...order, payToken: order.payToken ?? given.get(order.ordersn)! })
}

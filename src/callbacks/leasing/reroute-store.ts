import type { MerchantId } from '../../base/ids.ts'
import { inTransaction, type Pool, rows, run, type Tx } from '../../db/pool.ts'
import { makeLanes, originOf } from '../outbox/callback-store.ts'

/** The most merchants, and callbacks of each, moved by one transaction, so that a hundred thousand are not locked for long. */
const merchantsAtOnce = 10
const callbacksAtOnce = 5_000

/**
 * Moves the waiting callbacks of merchants whose default URL has changed into the lanes of the new URLs' origins. Otherwise
 * the old endpoint's cap and circuit would still delay them. Callbacks in flight are not moved: each change is processed again
 * a minute later.
 * @returns how many callbacks were moved.
 */
export async function rerouteCallbacks(pool: Pool): Promise<number> {
  return inTransaction(pool, async tx => {
    const changes = await rows<{ merchantId: MerchantId; url: string | null }>(
      tx,
      `select r.merchant_id as "merchantId", m.callback_url as url
         from callback_reroute r
         join merchant m on m.id = r.merchant_id
        where r.next_at <= now()
        order by r.merchant_id
        limit $1
          for no key update of r skip locked`,
      [merchantsAtOnce],
    )
    const defaults = changes.map(({ merchantId, url }) => ({ merchantId, origin: originOf(url) }))
    if (defaults.length > 0) await makeLanes(tx, defaults)
    let moved = 0
    for (const { merchantId, origin } of defaults) {
      const count = await moveToLane(tx, merchantId, origin)
      // A full batch: there may be more.
      if (count < callbacksAtOnce) await finishLook(tx, merchantId)
      moved += count
    }
    return moved
  })
}

function moveToLane(tx: Tx, merchantId: MerchantId, origin: string): Promise<number> {
  return run(
    tx,
    `with waiting as (
       select b.callback_id
         from callback_lane l
         join callback_outbox b on b.lane_id = l.id and b.state in ('due', 'held')
         join callback c on c.id = b.callback_id
         left join recharge_order o on o.id = c.order_id
        where l.merchant_id = $1 and l.origin <> $2 and o.notify_url is null
        limit $3
          for update of b skip locked
     ), moved as (
       update callback_outbox
          set lane_id = (select id from callback_lane where merchant_id = $1 and origin = $2)
        where callback_id = any(array(select callback_id from waiting))
       returning callback_id, lane_id
     )
     update callback c
        set lane_id = m.lane_id
       from moved m
      where c.id = m.callback_id`,
    [merchantId, origin, callbacksAtOnce],
  )
}

/** Schedules the second look a minute after the change, or ends with it. */
async function finishLook(tx: Tx, merchantId: MerchantId): Promise<void> {
  await run(tx, `delete from callback_reroute where merchant_id = $1 and last_at <= now()`, [merchantId])
  await run(tx, `update callback_reroute set next_at = last_at where merchant_id = $1`, [merchantId])
}

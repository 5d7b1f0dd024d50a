import type { Author } from '../../../db/audit-store.ts'
import { recordAudit } from '../../../db/audit-store.ts'
import { inTransaction, type Pool } from '../../../db/pool.ts'
import { addOrderNote } from '../../../orders/order-note-store.ts'
import type { ConsoleOrder } from './timeline-store.ts'

/** In characters, as the table has it. */
const authorMax = 200

/** Adds a person's note to an order. @param text from `cleanNote`. @returns false when the order has as many as it may have. */
export function noteOrder(
  pool: Pool,
  { id, ordersn, merchantId }: Pick<ConsoleOrder, 'id' | 'ordersn' | 'merchantId'>,
  text: string,
  author: Author,
): Promise<boolean> {
  return inTransaction(pool, async tx => {
    // With the mail address: two people may have one name.
    const name = [...author.actor].slice(0, authorMax).join('')
    if (!(await addOrderNote(tx, { orderId: id, author: name, text }))) return false
    await recordAudit(tx, { ...author, action: 'order.noted', subject: `order ${ordersn}`, merchantId })
    return true
  })
}

import type { OrderId } from '../base/ids.ts'
import { type Queryable, rows, run } from '../db/pool.ts'

/** What a person noted on an order. */
export interface OrderNote {
  author: string
  /** As it was written, of any characters. */
  text: string
  createdAt: Date
}

/** The most characters of a note, and the most notes of an order. */
export const noteLimits = { characters: 2_000, perOrder: 500 }

/**
 * Cleans the text of a note: line ends as `\n`, no control characters but these and tabs, nothing at its ends.
 * @returns null when nothing is left, or too much.
 */
export function cleanNote(text: string): string | null {
  const clean = text
    .replace(/\r\n?/g, '\n')
    .replace(/(?![\n\t])\p{Cc}/gu, '')
    .trim()
  return clean === '' || [...clean].length > noteLimits.characters ? null : clean
}

/**
 * Adds a note. It stays: the table refuses update and delete.
 * @param note.text from `cleanNote`.
 * @returns false when the order has as many as it may have, or does not exist.
 */
export async function addOrderNote(
  db: Queryable,
  note: { orderId: OrderId; author: string; text: string },
): Promise<boolean> {
  const added = await run(
    db,
    `insert into order_note (order_id, author, text)
     select o.id, $2, $3
       from recharge_order o
      where o.id = $1 and (select count(*) from order_note n where n.order_id = o.id) < $4`,
    [note.orderId, note.author, note.text, noteLimits.perOrder],
  )
  return added === 1
}

/** Reads an order's notes, the oldest first: at most as many as an order may have, give or take those added at one moment. */
export function readOrderNotes(db: Queryable, orderId: OrderId): Promise<OrderNote[]> {
  return rows<OrderNote>(
    db,
    `select author, text, created_at as "createdAt" from order_note where order_id = $1 order by id limit $2`,
    [orderId, noteLimits.perOrder],
  )
}

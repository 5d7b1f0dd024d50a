import { readFile } from 'node:fs/promises'
import pg from 'pg'

/** Opens the shop's database and makes its tables. */
export async function openStore(databaseUrl) {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
    statement_timeout: 5_000,
  })
  pool.on('error', error => console.error(error))
  await pool.query(await readFile(new URL('schema.sql', import.meta.url), 'utf8'))
  const first = async (text, values) => (await pool.query(text, values)).rows[0]
  return {
    findUser: id => first('select id, name, balance from shop_user where id = $1', [id]),

    addTopUp: (id, userId, amount) =>
      first('insert into top_up (id, user_id, amount) values ($1, $2, $3)', [id, userId, amount]),

    setAddress: (id, address) => first('update top_up set address = $2 where id = $1', [id, address]),

    /** A user's top-up, with what was booked for it in 1/10000 USDT. */
    findTopUp: (id, userId) =>
      first(
        `select id, amount, address,
                (select coalesce(sum(booking.amount), 0) from booking where top_up_id = top_up.id) as booked
           from top_up
          where id = $1 and user_id = $2`,
        [id, userId],
      ),

    /**
     * Books a callback, once. It is one statement, so key and balance change together or not at all. If two come at
     * once, the second waits for the first and then inserts nothing.
     * @param amount what the callback says, not what the order asked for: users pay less, more, or in parts.
     * @returns whether it was booked now.
     * @throws when the top-up is not ours: the gateway then tries again, and shows the callback as not delivered.
     */
    book: async ({ idempotencyKey, orderid, amount }) => {
      const { rowCount } = await pool.query(
        `with booked as (
           insert into booking (callback_key, top_up_id, amount)
           values ($1, $2, $3)
           on conflict (callback_key) do nothing
           returning top_up_id, amount
         )
         update shop_user
            set balance = balance + booked.amount
           from booked
           join top_up on top_up.id = booked.top_up_id
          where shop_user.id = top_up.user_id`,
        [idempotencyKey, orderid, amount],
      )
      return rowCount === 1
    },
  }
}

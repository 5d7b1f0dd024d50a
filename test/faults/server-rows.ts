import { setTimeout as sleep } from 'node:timers/promises'
import { type Deployment, patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'

// R and P: Redis and Postgres taken away, given back, and cut off in mid-sentence.

const outageMs = 2_000

const redis: FaultRow[] = [
  {
    id: 'R1',
    what: 'Redis flushed, with callbacks waiting in it',
    prepare: slowShops,
    inject: async ({ deployment }) => {
      await deployment.redis!.tell('FLUSHALL')
      return {}
    },
  },
  {
    id: 'R2',
    what: 'Redis killed, and back empty after 2 s',
    inject: async ({ deployment: { redis } }) => {
      await redis!.down()
      await sleep(outageMs)
      await redis!.up()
      return {}
    },
  },
  {
    id: 'R3',
    what: 'Redis absent when everything starts: orders are taken and credited, callbacks come when it does',
    settings: { redisAbsent: true },
    atOnce: true,
    times: 1,
    inject: async ({ deployment: { pool, redis } }) => {
      await patiently('credits without Redis', async () => {
        const { rows } = await pool.query('select count(*)::int as n from credit')
        return rows[0].n >= 20
      })
      await redis!.up()
      return {}
    },
  },
  {
    id: 'R4',
    what: 'Redis accepts and answers nothing for 3 s',
    inject: async ({ deployment: { redisProxy } }) => {
      redisProxy!.silence()
      await sleep(3_000)
      // What was said to it is lost: its connections go the way of a server's that was restarted.
      await redisProxy!.cut()
      await redisProxy!.restore()
      return {}
    },
  },
  {
    id: 'R5',
    what: 'Redis out of memory for 2 s',
    inject: async ({ deployment: { redis } }) => {
      await redis!.tell('CONFIG', 'SET', 'maxmemory', '1')
      await sleep(outageMs)
      await redis!.tell('CONFIG', 'SET', 'maxmemory', '0')
      return {}
    },
  },
  {
    id: 'R6',
    what: 'Redis comes back with what it held 2 s ago: jobs that are done reappear',
    prepare: slowShops,
    inject: async ({ deployment: { redis } }) => {
      await redis!.keep()
      await sleep(outageMs)
      await redis!.down()
      await redis!.up('kept')
      return {}
    },
  },
]

/** On Redis, whatever the others run on. */
export const redisRows: readonly FaultRow[] = redis.map(row => ({
  ...row,
  settings: { queue: 'redis', ...row.settings },
}))

export const postgresRows: readonly FaultRow[] = [
  ...(['fast', 'immediate'] as const).map(
    (mode): FaultRow => ({
      id: 'P1',
      what: `Postgres restarted under load, ${mode}`,
      inject: async ({ postgres }) => {
        await postgres!.down(mode)
        await sleep(1_000)
        await postgres!.up()
        return {}
      },
    }),
  ),
  cut('the commit that credits', 'commit', { after: 'update chain_cursor' }),
  cut('the lease of callbacks', 'lease_callbacks', { rows: true }),
  cut('the commit of an address', 'commit', { after: 'insert into deposit_address' }),
  cut('the insert of orders', 'insert-orders'),
  cut("the record of callbacks' attempts", 'record_attempts'),
  {
    id: 'P3',
    what: 'a lock held on the orders for 8 s: refused in time, and taken when it is gone',
    inject: holdLock,
  },
]

/** The connection is reset at that message, before the server sees it and after it has done it, in turns. */
function cut(what: string, text: string, options: { after?: string; rows?: boolean } = {}): FaultRow {
  return {
    id: 'P2',
    what: `connection reset at ${what}: unsent, done but unanswered`,
    inject: async ({ deployment: { commitProxy } }) => {
      for (const when of ['unsent', 'unanswered'] as const) await commitProxy.resetAt(text, when, options)
      return { count: 2 }
    },
  }
}

/** Callbacks take their time, so that there are always some in the queue and some on their way. */
async function slowShops({ shops }: Deployment): Promise<void> {
  for (const shop of shops) shop.answer = () => ({ status: 200, body: 'success', delayMs: 300 })
}

/** A client waits 10 s as a rule: whoever cannot be served is told so before. */
const answeredWithinMs = 9_000

async function holdLock({ deployment: { pool }, load }: Scene): Promise<Injected> {
  const later = load.later
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('lock table recharge_order in access exclusive mode')
    await sleep(8_000)
    await client.query('commit')
  } finally {
    client.release()
  }
  if (load.slowestMs > answeredWithinMs)
    throw new Error(`an order waited ${load.slowestMs} ms for its answer`)
  return { note: `${load.later - later} told "later", the slowest after ${Math.round(load.slowestMs)} ms` }
}

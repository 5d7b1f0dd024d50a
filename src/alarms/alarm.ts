import { watcherAlarms } from '../blocks/watcher-alarms.ts'

/**
 * Every alarm that is told of. The leading watcher raises its own; any process raises `watcher`; a courier raises `queue`; and
 * a watcher that cannot reach the database says so itself.
 */
export const alarmNames = [...watcherAlarms, 'watcher', 'queue', 'database'] as const
export type AlarmName = (typeof alarmNames)[number]

/** What each alarm means, in a sentence for a message. docs/alarms.md has more, and what to do. */
export const meanings: Record<AlarmName, string> = {
  lag: 'The watcher is behind the chain: payments are credited late.',
  no_transfers: 'Block after block has no USDT transfer: a node leaves something out.',
  unlinked: 'A block does not follow the last one we recorded: nothing is credited until one does.',
  uncounted: 'Solid blocks could not be counted for five minutes: the word of a node is taken.',
  parked: 'A block that no node can give was passed over: what it pays is credited when it can be read.',
  disagreement: 'Two nodes showed different blocks at one height.',
  quarantine: 'Something could not be decoded or credited, and waits for a decision.',
  held: 'Large payments have waited for a second node for more than a minute.',
  unproven: 'Payments wait for proof, or a block is unverified, for more than a minute.',
  discrepancy: 'A second source differs from our records, and nobody has acknowledged it.',
  contract: 'The USDT contract changed something, and nobody has acknowledged it.',
  clock: 'Database, process and chain disagree about the time.',
  addresses: 'Addresses may be lost after a failover: no new one is assigned.',
  callbacks_late:
    'Callbacks have been due for ten minutes without an open circuit: couriers are stopped or overloaded, or an endpoint is slow.',
  callbacks_exhausted: 'Callbacks were given up in the last day: their merchants have not acknowledged them.',
  endpoints: 'Endpoints of merchants have failed for more than an hour.',
  chores: 'Something that the watcher does beside following has failed for five minutes.',
  watcher: 'No watcher leads: nothing is credited.',
  queue: 'A courier cannot reach the database or its queue: it sends no callbacks.',
  database: 'The database cannot be reached.',
}

/** What to do first about each alarm, in a line. docs/alarms.md has the rest. */
export const firstSteps: Record<AlarmName, string> = {
  lag: 'look at the nodes; name another in TRON_NODES and restart the watcher',
  no_transfers: 'name another node, then `gateway rescan` the blocks since',
  unlinked: 'name another node; if all say so, `gateway chain rewind`',
  uncounted: 'are the nodes on the right network? `gateway chain producers`',
  parked: 'name another node in TRON_NODES and restart the watcher',
  disagreement: 'find out with an explorer which node is wrong, and remove it',
  quarantine: '`gateway quarantine list`',
  held: '`gateway held list`; is the second node up?',
  unproven: '`gateway held list`; name a second host in TRON_NODES',
  discrepancy: '`gateway discrepancies list`; compare with an explorer',
  contract: '`gateway contract list`',
  clock: 'set the clocks by NTP, on the database server too',
  addresses: 'see "Failover" in docs/backup.md',
  callbacks_late: 'start couriers; `gateway callbacks list`',
  callbacks_exhausted: '`gateway callbacks list --state exhausted`, then resend',
  endpoints: 'tell the merchant: their endpoint fails',
  chores: 'look for chore.failed in the log of the watcher',
  watcher: '`gateway start watcher`',
  queue: 'can the courier reach the database and REDIS_URL?',
  database: 'is the database up, and DATABASE_URL right?',
}

import { Redis } from 'ioredis'
import type { AddressCounterId } from '../base/ids.ts'
import { watchRedis } from '../base/watch-redis.ts'
import type { NextIndexes } from './history-store.ts'

/** What Redis knows of how far each counter was. Redis may be lost at any time: then it knows nothing. */
export interface PublishedIndexes {
  /**
   * Publishes what a witness remembers.
   * @param all whether these are all of its counters.
   * @returns false when Redis has forgotten earlier ones: then all have to be published.
   * @throws when Redis does not answer in time.
   */
  publish(witnessId: string, indexes: NextIndexes, all: boolean): Promise<boolean>
  /** @returns null when Redis knows nothing. @throws when it does not answer in time. */
  read(): Promise<Published | null>
  /** Forgets counters that do not exist any more, and witnesses that have died. @throws when Redis does not answer in time. */
  forget(gone: { counters?: readonly AddressCounterId[]; witnesses?: readonly string[] }): Promise<void>
  close(): void
}

export interface Published {
  indexes: NextIndexes
  /** The witnesses all of whose assignments are in `indexes`. */
  witnesses: Set<string>
}

/** One assignment waits for this long at most. */
const redisTimeoutMs = 100

// A Redis that was restarted, or replaced by its replica, may have lost the last writes. It has another run id then, and
// what it holds counts as nothing.
const runId = `string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''`

// ARGV: witness, 1 for all counters, then counter and index by turns. An index never goes back.
const publishScript = `
local run = ${runId}
if redis.call('HGET', KEYS[1], 'run') ~= run then
  if ARGV[2] ~= '1' then return 0 end
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'run', run)
end
local witness = 'w:' .. ARGV[1]
if ARGV[2] ~= '1' and redis.call('HEXISTS', KEYS[1], witness) == 0 then return 0 end
for i = 3, #ARGV, 2 do
  local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '-1')
  if tonumber(ARGV[i + 1]) > known then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
redis.call('HSET', KEYS[1], witness, '1')
return 1`

const readScript = `
local run = ${runId}
if redis.call('HGET', KEYS[1], 'run') ~= run then return {} end
return redis.call('HGETALL', KEYS[1])`

/** @param key of this database, since two gateways may have been given one Redis. */
export function openPublishedIndexes(url: string, key: string): PublishedIndexes {
  const redis = new Redis(url, {
    // Fails at once instead of waiting for a connection.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: redisTimeoutMs,
    connectTimeout: 2_000,
    retryStrategy: () => 500,
    scripts: {
      publishIndexes: { lua: publishScript, numberOfKeys: 1 },
      readIndexes: { lua: readScript, numberOfKeys: 1 },
    },
  }) as Redis & {
    publishIndexes(key: string, ...args: (string | number)[]): Promise<number>
    readIndexes(key: string): Promise<string[]>
  }
  // Whoever publishes or reads meanwhile gets the failure.
  redis.on('error', () => undefined)
  watchRedis(redis)
  return {
    async publish(witnessId, indexes, all) {
      const pairs = [...indexes].flatMap(([id, next]) => [`c:${id}`, next])
      return (await redis.publishIndexes(key, witnessId, all ? 1 : 0, ...pairs)) === 1
    },
    async read() {
      const flat = await redis.readIndexes(key)
      const published: Published = { indexes: new Map(), witnesses: new Set() }
      for (let i = 0; i < flat.length; i += 2) {
        const [kind, id] = flat[i]!.split(':', 2)
        if (kind === 'w') published.witnesses.add(id!)
        if (kind === 'c') published.indexes.set(BigInt(id!) as AddressCounterId, Number(flat[i + 1]))
      }
      return flat.length > 0 ? published : null
    },
    async forget({ counters = [], witnesses = [] }) {
      const fields = [...counters.map(id => `c:${id}`), ...witnesses.map(id => `w:${id}`)]
      if (fields.length > 0) await redis.hdel(key, ...fields)
    },
    close: () => redis.disconnect(),
  }
}

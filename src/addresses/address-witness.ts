import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../base/errors.ts'
import type { AddressCounterId } from '../base/ids.ts'
import type { Logger } from '../base/log.ts'
import { Gauge, type Registry } from '../base/metrics.ts'
import { inTransaction, type Pool, promptlyMs, type Tx } from '../db/pool.ts'
import {
  type AddressCounter,
  moveCounterAsWitness,
  readNextIndexes,
} from '../merchants/address-counter-store.ts'
import {
  acceptHistory,
  listSilentWitnesses,
  lockHistory,
  mayAssign,
  registerWitness,
  removeDeadWitnesses,
  removeSilentWitnesses,
  removeWitness,
  setPublished,
  stopAssigning,
} from './history-store.ts'
import { type Judgement, judgeHistory } from './judge-history.ts'
import type { Published, PublishedIndexes } from './published-indexes.ts'

/**
 * What a process knows of the addresses it assigned, so that a database that lost some of them, by a failover or a restore,
 * is noticed before one is assigned twice.
 */
export interface AddressWitness {
  /**
   * Runs a transaction that assigns addresses. When the database's history is another one, judges that first.
   * @throws GatewayError unavailable when addresses may be lost.
   */
  assigning<T>(transaction: () => Promise<T>): Promise<T>
  /** Moves a locked counter, in such a transaction. It is rolled back when addresses may be lost. */
  move(tx: Tx, counter: AddressCounter, nextIndex: number): Promise<void>
  /** Remembers what was committed, here and in Redis, before anybody is told of an address. */
  remember(counterId: AddressCounterId, nextIndex: number): Promise<void>
  /** Looks at the database's history again. To be called every second. */
  look(): Promise<void>
  close(): Promise<void>
}

/** How long an assignment waits for the other witnesses after a failover: each of them looks every second. */
const patienceMs = 3_000
const patiencePollMs = 100
/** How long one assignment is tried, however the database answers. */
const assigningMs = 5_000
/** How long a refusal is repeated without asking the database. */
const refusalMs = 1_000
/** How often a witness says that it is there, and compares all counters. */
const seenMs = 10_000
/** A witness that was not seen for this long has died. */
const deadAfterS = 60

/** The transaction is to be rolled back: this database may lack addresses that were assigned. */
class HistoryNotAcceptedError extends Error {}

/** Opens a witness. Nothing is read or written before the first assignment or look. */
export function openAddressWitness(options: {
  pool: Pool
  published?: PublishedIndexes | null
  log?: Logger
  registry?: Registry
}): AddressWitness {
  const { pool, published = null } = options
  const self = { id: randomUUID(), name: `${hostname()} process ${process.pid}` }
  const remembered = new Map<AddressCounterId, number>()
  let knows = false
  let inRedis = false
  let seenAt = Number.NEGATIVE_INFINITY
  let waitingSince: number | null = null
  let refused: { error: GatewayError; until: number } | null = null
  let settling: Promise<Judgement> | undefined
  const report = createReport(options)

  const keepHighest = (counterId: AddressCounterId, nextIndex: number) => {
    if (nextIndex > (remembered.get(counterId) ?? -1)) remembered.set(counterId, nextIndex)
  }
  const judge = async (): Promise<Judgement> => {
    // Before the transaction, which never waits for the network.
    const shared: Published | null = (await published?.read().catch(() => null)) ?? null
    // Before the counters are read: what is committed and remembered meanwhile is missing in that reading, and not lost.
    const before = new Map(remembered)
    const { judgement, dead, found } = await inTransaction(
      pool,
      async tx => {
        const state = await lockHistory(tx)
        const { current: history } = state
        const found = await readNextIndexes(tx)
        const witness = { ...self, history, published: inRedis }
        // Said even while others are silent: each of them counts on it.
        const silent = (await listSilentWitnesses(tx, history)).filter(({ id }) => id !== self.id)
        const judgement = judgeHistory({
          ...state,
          found,
          remembered: before,
          knows,
          published: shared,
          silent,
        })
        if (judgement.kind === 'lost') await stopAssigning(tx, judgement.because, judgement.lost)
        if (judgement.kind === 'accepted' && history !== state.accepted) {
          await acceptHistory(tx, history)
          await removeSilentWitnesses(tx, history)
        }
        if (judgement.kind === 'accepted' || (judgement.kind === 'waiting' && knows)) {
          await registerWitness(tx, witness)
        }
        const dead = judgement.kind === 'accepted' ? await removeDeadWitnesses(tx, history, deadAfterS) : []
        return { judgement, dead, found }
      },
      promptlyMs,
    )
    if (judgement.kind === 'accepted') {
      knows = true
      seenAt = performance.now()
      for (const [id, next] of found) keepHighest(id, next)
      await publishAll()
      await published?.forget({ witnesses: dead }).catch(() => undefined) // They only take up room.
    } else if (judgement.kind === 'lost') {
      // A counter that is missing is never found again: once this is said, it must not be said for ever.
      const missing = [...before.keys()].filter(id => !found.has(id))
      for (const id of missing) remembered.delete(id)
      const sharedMissing = [...(shared?.indexes.keys() ?? [])].filter(id => !found.has(id))
      await published?.forget({ counters: [...missing, ...sharedMissing] }).catch(() => undefined)
    }
    return judgement
  }
  const settle = async () => {
    settling ??= judge().finally(() => {
      settling = undefined
    })
    const judgement = await settling
    const now = performance.now()
    waitingSince = judgement.kind === 'waiting' ? (waitingSince ?? now) : null
    const patient = waitingSince !== null && now - waitingSince < patienceMs
    if (!patient) report(judgement)
    refused = judgement.kind === 'accepted' || patient ? null : { error: refusal(), until: now + refusalMs }
    return { judgement, patient }
  }
  /** Says in the database whether Redis has all that was assigned here. */
  const sayPublished = async (is: boolean) => {
    if (is === inRedis) return
    inRedis = is
    await setPublished(pool, self.id, is).catch(() => {
      inRedis = !is // Said at the next look.
    })
  }
  const publishAll = async () => {
    if (!published) return
    await sayPublished(await published.publish(self.id, remembered, true).catch(() => false))
  }
  return {
    async assigning(transaction) {
      const giveUpAt = performance.now() + assigningMs
      for (;;) {
        if (refused && refused.until > performance.now()) throw refused.error
        try {
          return await transaction()
        } catch (error) {
          if (!(error instanceof HistoryNotAcceptedError)) throw error
        }
        const { judgement, patient } = await settle()
        const hopeless = judgement.kind !== 'accepted' && !patient
        if (hopeless || performance.now() > giveUpAt) throw refusal()
        if (patient) await sleep(patiencePollMs)
      }
    },
    async move(tx, { id, nextIndex: before }, nextIndex) {
      const moved =
        before >= (remembered.get(id) ?? 0) &&
        (await moveCounterAsWitness(tx, { id, nextIndex, witnessId: self.id }))
      if (!moved) throw new HistoryNotAcceptedError('addresses may be lost')
    },
    async remember(counterId, nextIndex) {
      keepHighest(counterId, nextIndex)
      // A Redis that did not answer is left alone until the next look.
      if (!published || !inRedis) return
      const one = new Map([[counterId, nextIndex]])
      const known = await published.publish(self.id, one, false).catch(() => null)
      if (known === false) await publishAll()
      else await sayPublished(known === true)
    },
    async look() {
      const due = performance.now() - seenAt > seenMs
      if (due || (published && !inRedis) || refused || !(await mayAssign(pool, self.id))) await settle()
    },
    async close() {
      // What is not in Redis must not look as if it were: the row stays until somebody finds this process dead.
      if (!published || inRedis) await removeWitness(pool, self.id).catch(() => undefined)
      published?.close()
    },
  }
}

/** The reason is for the operator: `addresses.stopped` in the log has it. */
function refusal(): GatewayError {
  return new GatewayError('unavailable', 'no new address can be assigned at the moment: try again later', {
    retryAfterS: 30,
  })
}

/** Reports once when no address can be assigned any more, and once when they can again. */
function createReport({ log, registry }: { log?: Logger; registry?: Registry }) {
  const stopped =
    registry &&
    new Gauge({
      name: 'gateway_addresses_stopped',
      help: '1 while no new address is assigned, because some may be lost after a failover or a restore',
      registers: [registry],
    })
  let reported: string | null = null
  return (judgement: Judgement) => {
    const because = judgement.kind === 'accepted' ? null : judgement.because
    if (because === reported) return
    reported = because
    stopped?.set(because === null ? 0 : 1)
    if (because === null) log?.info('addresses.assigned_again')
    else log?.error({ because, end: 'gateway restored --skip N' }, 'addresses.stopped')
  }
}

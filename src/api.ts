import type { FastifyInstance, FastifyRequest } from 'fastify'
import { openAddressWitness } from './addresses/address-witness.ts'
import { openPublishedIndexes } from './addresses/published-indexes.ts'
import { systemClock } from './base/clock.ts'
import type { ConfigOf } from './base/config.ts'
import { listenProblem } from './base/listen-problem.ts'
import { repeat } from './base/repeat.ts'
import { chainChannel } from './blocks/chain-store.ts'
import { databaseIdOf } from './db/database-id.ts'
import { listen } from './db/listen.ts'
import {
  dropOldPartitions,
  makePartitions,
  makePartitionsAtStart,
  partitionsEveryMs,
} from './db/partitions.ts'
import type { Pool } from './db/pool.ts'
import { requirePreparedStatements, sharesSessions } from './db/pooling-proxy.ts'
import { type AppOptions, buildApp, openPages } from './http/app.ts'
import { closeApp } from './http/close-app.ts'
import { clientAddressOf, limitKeyOf } from './http/limits/client-address.ts'
import { purgeNonces } from './requests/request-nonce-store.ts'
import { openCheckout } from './web/checkout/open-checkout.ts'
import { openConsole } from './web/console/open-console.ts'

export interface ApiOptions extends Omit<AppOptions, 'config' | 'redisUrl' | 'publicUrl' | 'pages'> {
  config: ConfigOf<'api'>
  /** What the console reads on; undefined: on `reads`. */
  consoleReads?: Pool
}

const secondMs = 1_000
const minuteMs = 60_000

/**
 * Starts the API: signed order -> assigned address.
 * @returns the URL it listens on, and the console's; `stop` answers the requests in progress first.
 */
export async function startApi(
  options: ApiOptions,
): Promise<{ url: string; consoleUrl: string | null; stop(): Promise<void> }> {
  const { pool, config, log, registry, clock = systemClock } = options
  await requirePreparedStatements(pool)
  await makePartitionsAtStart(pool, clock.now(), log)
  const published = config.redisUrl
    ? openPublishedIndexes(config.redisUrl, `gateway:addresses:${await databaseIdOf(pool)}`)
    : null
  const witness = openAddressWitness({ pool, published, log, ...(registry && { registry }) })
  const { host, port } = config
  const listening = { url: `http://${host}:${port}` }
  const publicUrl = () => config.publicUrl ?? listening.url
  const clientOf = (request: FastifyRequest) => limitKeyOf(clientAddressOf(request))
  const checkout = openCheckout({ pool: options.reads, config, clientOf, log })
  const ownPort = config.console && config.consolePort !== undefined
  const consoleListening = { url: '' }
  const consoleUrl = () =>
    config.consoleUrl ??
    (ownPort ? atHome(consoleListening.url) : (config.publicUrl ?? atHome(listening.url)))
  const console = openConsole({
    ...options,
    ...{ reads: options.consoleReads ?? options.reads, publicUrl: consoleUrl, payUrl: publicUrl },
    ...{ clientOf, addressOf: clientAddressOf },
  })
  const app = await buildApp({
    ...options,
    publicUrl,
    pages: pages => {
      checkout.register(pages)
      if (config.console && !ownPort) console.register(pages)
    },
    redisUrl: config.redisUrl,
    witness,
  })
  const url = await app.listen({ host, port }).catch(async error => {
    await Promise.all([app.close(), witness.close()])
    throw listenProblem(error, { host, port, settings: { host: 'HOST', port: 'PORT' } })
  })
  listening.url = url
  const consoleApp = ownPort
    ? await openConsolePort().catch(async error => {
        await Promise.all([closeApp(app), witness.close()])
        throw error
      })
    : null
  // Notifications go to a session. Without, open pages look now and then.
  const listener = (await sharesSessions(pool))
    ? null
    : listen({
        ...{ databaseUrl: config.databaseUrl, name: 'recharge-gateway-listen', channel: chainChannel },
        ring: checkout.look,
        lost: reason => log.warn({ reason }, 'api.listen_lost'),
        again: () => log.info('api.listening_again'),
      })
  const stopping = new AbortController()
  const { signal } = stopping
  const partitions = async () => {
    await makePartitions(pool, clock.now())
    const dropped = await dropOldPartitions(pool, clock.now(), config.retentionMonths)
    if (dropped.length > 0) log.info({ tables: dropped }, 'retention.dropped')
  }
  const chores = [
    repeat({ chore: 'partitions', everyMs: partitionsEveryMs, work: partitions, log, signal }),
    repeat({ chore: 'witness', everyMs: secondMs, work: witness.look, log, signal }),
    repeat({ chore: 'nonces', everyMs: minuteMs, work: () => purgeNonces(pool), log, signal }),
  ]
  log.info({ url, ...(ownPort && { consoleUrl: consoleListening.url }) }, 'api.listening')
  return {
    url,
    consoleUrl: config.console ? consoleUrl() : null,
    stop: async () => {
      await listener?.stop()
      await Promise.all([app, consoleApp].map(one => one && closeApp(one)))
      stopping.abort()
      await Promise.all(chores)
      await witness.close()
    },
  }

  async function openConsolePort(): Promise<FastifyInstance> {
    const where = { host: config.consoleHost, port: config.consolePort! }
    const app = await openPages({ ...options, redisUrl: config.redisUrl, pages: console.register })
    consoleListening.url = await app.listen(where).catch(async error => {
      await app.close()
      throw listenProblem(error, { ...where, settings: { host: 'CONSOLE_HOST', port: 'CONSOLE_PORT' } })
    })
    return app
  }
}

/** By its name, as browsers have to know this machine for passkeys. */
function atHome(url: string): string {
  return url.replace('//127.0.0.1:', '//localhost:')
}

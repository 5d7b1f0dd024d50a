import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from '../../src/demo/embedded-database.ts'
import { findServerUser, giveTo } from '../../src/demo/server-programs.ts'
import { findProgram } from './programs.ts'

/** A cluster of a Postgres that is installed with its client programs, which the embedded one lacks. */
export interface InstalledCluster {
  port: number
  /** As its superuser `postgres`, who needs no password. */
  url(database: string): string
  stop(): Promise<void>
}

/** Finds the folder with the server and the programs for backups, of one version; null when they are not installed. */
export function findInstalledPostgres(): string | null {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).filter(name => Number(name) >= 14) : []
  const onPath = findProgram('initdb')
  const folders = [
    ...versions.sort((a, b) => Number(b) - Number(a)).map(version => join(debian, version, 'bin')),
    ...(onPath ? [dirname(onPath)] : []),
  ]
  const programs = ['initdb', 'pg_ctl', 'pg_dump', 'pg_dumpall', 'pg_restore', 'psql']
  return folders.find(folder => programs.every(name => existsSync(join(folder, name)))) ?? null
}

/** Makes and starts a cluster in a temporary folder. @param programs from `findInstalledPostgres`. */
export async function startInstalledPostgres(programs: string): Promise<InstalledCluster> {
  const user = await findServerUser()
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-installed-'))
  await giveTo(user, folder)
  const port = await freePort()
  const data = join(folder, 'data')
  const execute = (program: string, ...args: string[]) =>
    execFileSync(join(programs, program), args, { ...user, cwd: '/', stdio: 'ignore', timeout: 120_000 })
  execute('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '--encoding=UTF8', '--locale=C', '--no-sync')
  const settings = `-p ${port} -c fsync=off -c listen_addresses=127.0.0.1 -c unix_socket_directories=`
  execute('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', settings, 'start')
  return {
    port,
    url: database => `postgres://postgres@127.0.0.1:${port}/${database}`,
    stop: async () => {
      execute('pg_ctl', '-D', data, '-w', '-m', 'immediate', 'stop')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

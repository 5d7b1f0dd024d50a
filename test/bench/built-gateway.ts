import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endWithBench } from './child-process.ts'

const root = join(import.meta.dirname, '../..')

/** As in the Dockerfile. */
const nodeFlags = ['--max-semi-space-size=64']

/** A process of the gateway as production runs it: compiled, its log written to a file. */
export interface BuiltGateway {
  pid: number
  /** Stops it where it stands, or lets it go on: what is written meanwhile finds nobody at work. */
  pause(): void
  resume(): void
  /** SIGTERM; resolves when it has gone. */
  stop(): Promise<void>
}

let built = false

/** Compiles src/ as `npm run build` does; the types have been checked by then. */
function build(): void {
  if (built) return
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck'], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout)
  built = true
}

/**
 * Starts `gateway start` with one process. With BENCH_PROFILE set to a folder, Node leaves a CPU profile there.
 * @param env settings; nothing of the bench's own environment.
 * @param ownSession whether it has a session of its own, as a service has: the kernel weighs sessions against each other.
 */
export async function startBuiltGateway(
  role: 'courier' | 'watcher',
  env: Record<string, string>,
  { ownSession = false }: { ownSession?: boolean } = {},
): Promise<BuiltGateway> {
  build()
  const folder = mkdtempSync(join(tmpdir(), 'recharge-gateway-log-'))
  const logFile = join(folder, 'log')
  const log = openSync(logFile, 'a')
  const profile = process.env.BENCH_PROFILE
    ? ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`]
    : []
  const child = spawn(
    process.execPath,
    [...nodeFlags, ...profile, join(root, 'dist/gateway.js'), 'start', role],
    {
      env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
      stdio: ['ignore', log, log],
      detached: ownSession,
    },
  )
  closeSync(log)
  endWithBench(child)
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
  await untilStarted(child, logFile)
  return {
    pid: child.pid!,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    stop: async () => {
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function untilStarted(child: ChildProcess, logFile: string): Promise<void> {
  while (!readFileSync(logFile, 'utf8').includes('gateway.started')) {
    assert.equal(child.exitCode, null, readFileSync(logFile, 'utf8'))
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

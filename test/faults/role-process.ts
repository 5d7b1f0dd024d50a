import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { FailpointName } from '../../src/base/failpoint.ts'

/** How a process ended: by a signal, or with a code. */
export interface Ending {
  signal: NodeJS.Signals | null
  code: number | null
  at: number
}

/** A process of the gateway that is meant to die and to be started again, always under one name. */
export interface RoleProcess {
  readonly name: string
  /** Starts it with settings added; resolves when it says that it has started, or when it died on the way. */
  start(added?: Record<string, string>): Promise<void>
  readonly running: boolean
  /** Resolves when the one started last has ended. */
  ended(): Promise<Ending>
  signal(signal: NodeJS.Signals): void
  /** SIGKILL: nothing of it gets to finish anything. */
  kill(): Promise<Ending>
  /** SIGTERM. */
  stop(): Promise<Ending>
  /** How long each took to start. */
  readonly startMs: readonly number[]
  /** What all of them have logged, and the one started last. */
  output(): string
  said(): string
}

/**
 * @param program what is run before the arguments: `node dist/gateway.js`, or the same from source.
 * @param args such as `start watcher`.
 * @param env its whole environment, but for the PATH.
 */
export function roleProcess(
  name: string,
  program: readonly string[],
  args: readonly string[],
  env: Record<string, string>,
): RoleProcess {
  let child: ChildProcess | null = null
  let ending: Promise<Ending> = Promise.resolve({ signal: null, code: null, at: 0 })
  let output = ''
  let begun = 0
  const startMs: number[] = []
  const role: RoleProcess = {
    name,
    startMs,
    start: async added => {
      begun = output.length
      const askedAt = performance.now()
      const started = spawn(program[0]!, [...program.slice(1), ...args], {
        env: { PATH: process.env.PATH, ...env, ...added },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child = started
      endWithUs(started)
      ending = once(started, 'exit').then(([code, signal]) => {
        if (child === started) child = null
        return { code, signal, at: Date.now() }
      })
      const said = new Promise<void>(resolve => {
        let done = false
        const read = (chunk: Buffer) => {
          output += chunk
          if (done) return
          if (!role.said().includes('gateway.started')) return
          done = true
          startMs.push(performance.now() - askedAt)
          resolve()
        }
        started.stdout!.on('data', read)
        started.stderr!.on('data', read)
      })
      await Promise.race([said, ending])
    },
    get running() {
      return child !== null
    },
    ended: () => ending,
    signal: signal => void child?.kill(signal),
    kill: () => {
      child?.kill('SIGKILL')
      return ending
    },
    stop: () => {
      child?.kill('SIGTERM')
      return ending
    },
    output: () => output,
    said: () => output.slice(begun),
  }
  return role
}

const children = new Set<ChildProcess>()

/** However this program ends, a child does not outlive it. */
export function endWithUs(child: ChildProcess): void {
  if (children.size === 0) process.once('exit', endChildren)
  children.add(child)
  child.once('exit', () => {
    children.delete(child)
    if (children.size === 0) process.off('exit', endChildren)
  })
}

function endChildren(): void {
  for (const child of children) child.kill('SIGKILL')
}

/**
 * Has it die at a failpoint: stops it, starts it armed, waits until it has killed itself, starts it unarmed.
 * @param passing at which, from 1.
 * @returns when it died.
 * @throws Error when it did not within the time, or in another way.
 */
export async function dieAt(role: RoleProcess, failpoint: FailpointName, passing: number): Promise<number> {
  await role.stop()
  await role.start({ FAILPOINT: `${failpoint}@${passing}` })
  const at = await deathAt(role, failpoint)
  await role.start()
  return at
}

/** Waits until one that was started armed has killed itself. @returns when. @throws Error as `dieAt`. */
export async function deathAt(role: RoleProcess, failpoint: FailpointName): Promise<number> {
  const died = await within(120_000, `${role.name} to die at ${failpoint}`, role.ended())
  if (died.signal !== 'SIGKILL' || !role.said().includes(`failpoint ${failpoint} kill`))
    throw new Error(
      `${role.name} ended with ${died.code ?? died.signal}, not at ${failpoint}: ${role.said().slice(-2_000)}`,
    )
  return died.at
}

/** @throws Error when it takes longer. */
async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

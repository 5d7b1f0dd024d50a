import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'

/** A process of the bench's own that answers questions, one at a time. */
export interface BenchChild {
  pid: number
  /** What it said when it was ready. */
  // biome-ignore lint/suspicious/noExplicitAny: each child says something else; whoever started it knows what.
  ready: any
  /** @throws when it ends, or does not answer within two minutes. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  ask(question: object): Promise<any>
  stop(): void
}

const answerWithinMs = 120_000

/** Starts a file of this folder as a process; it says once that it is ready. */
export async function startChild(file: string, args: readonly string[] = []): Promise<BenchChild> {
  const child: ChildProcess = fork(join(import.meta.dirname, file), args, { serialization: 'advanced' })
  const ready = await answerOf(child, file)
  return {
    pid: child.pid!,
    ready,
    ask: async question => {
      child.send(question)
      return answerOf(child, `${file}, asked ${JSON.stringify(Object.keys(question))}`)
    },
    stop: () => child.kill('SIGKILL'),
  }
}

/** A terminal's ^C does not reach a process with a session of its own: it ends with the bench. */
export function endWithBench(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}

function answerOf(child: ChildProcess, what: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${what}: ended with ${code}`))
    const timer = setTimeout(() => reject(new Error(`${what}: no answer`)), answerWithinMs)
    child.once('exit', ended)
    child.once('message', answer => {
      clearTimeout(timer)
      child.off('exit', ended)
      resolve(answer)
    })
  })
}

/** A clock that all processes of the machine share, in milliseconds from some beginning. */
export function sharedClockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

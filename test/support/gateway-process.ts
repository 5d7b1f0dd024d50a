import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { gatewayProgram } from './gateway-program.ts'

export interface GatewayProcess {
  /** Resolves when it says that it has started. */
  started: Promise<void>
  /** SIGKILL: nothing of it gets to finish anything. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** What it has logged so far. */
  output(): string
}

/** A real process of the gateway, `gateway ...args`, with the environment given and nothing else of ours. */
export function startProcess(args: readonly string[], env: Record<string, string>): GatewayProcess {
  const [node, ...program] = gatewayProgram
  const child: ChildProcess = spawn(node, [...program, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const exited = once(child, 'exit') as Promise<[number | null]>
  const started = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk
      if (output.includes('gateway.started')) resolve()
    }
    child.stdout!.on('data', read)
    child.stderr!.on('data', read)
    exited.then(([code]) => reject(new Error(`it ended with ${code} before it had started: ${output}`)))
  })
  started.catch(() => undefined) // Whoever waits for it hears of it.
  return {
    started,
    output: () => output,
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    stop: async () => {
      child.kill('SIGTERM')
      return (await exited)[0]
    },
  }
}

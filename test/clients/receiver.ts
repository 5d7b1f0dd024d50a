import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { waitUntil } from '../support/wait-until.ts'
import type { Command } from './kits.ts'

/** A merchant's program that waits for callbacks. */
export interface Receiver {
  /** What it has said so far. */
  output(): string
  stop(): Promise<void>
}

/** Starts it. @throws Error with what it said when it ends before it listens. */
export async function startReceiver(
  [program, ...args]: Command,
  options: { cwd: string; env: Record<string, string | undefined>; port: number },
): Promise<Receiver> {
  // In a group of its own: PHP's server has workers, which would outlive it and keep the port.
  const child = spawn(program!, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const exited = once(child, 'exit')
  let output = ''
  const read = (chunk: Buffer) => {
    output += chunk
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  const stop = async () => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // It has ended already.
    }
    await exited
  }
  await waitUntil(`${program} listening`, () => {
    if (child.exitCode !== null) throw new Error(`the receiver ended with ${child.exitCode}: ${output}`)
    return listens(options.port)
  })
  return { output: () => output, stop }
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.end())
  })
}

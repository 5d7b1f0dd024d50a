import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type SendOutcome, sendCallback } from '../../../src/callbacks/sending/send-callback.ts'
import { createGuardedAgent } from '../../../src/egress/guarded-agent.ts'

// Sends callbacks from a process of its own: what it trusts and what it holds in memory are its own. Run as a program,
// this file is that process. Every name leads to this machine.

/** What acknowledges: any 2xx. */
export const anyAnswer = { acknowledgement: null, acknowledgementAnywhere: false }

const self = fileURLToPath(import.meta.url)

export interface Sent {
  outcomes: SendOutcome[]
  /** By how much the most memory it ever had resident grew, after all targets of the warm-up had been sent to. */
  grownBytes: number
}

interface Target {
  url: string
  deadlineMs: number
}

/** @param targets sent to all at once; @param options.warmUp as well, before. */
export async function sendMany(
  targets: readonly Target[],
  options: { warmUp?: readonly Target[]; env?: Record<string, string> },
): Promise<Sent> {
  const { warmUp = [], env } = options
  const { stdout } = await promisify(execFile)(
    process.execPath,
    // A small young generation: what V8 merely has not collected yet is not to be counted as held.
    ['--max-semi-space-size=1', '--import', 'tsx', self, JSON.stringify({ targets, warmUp })],
    { env: { PATH: process.env.PATH, ...env }, maxBuffer: 16 * 1024 * 1024 },
  )
  return JSON.parse(stdout)
}

async function run({ targets, warmUp }: Record<'targets' | 'warmUp', Target[]>): Promise<void> {
  const agent = createGuardedAgent({
    allowedNetworks: ['127.0.0.0/8'],
    connectTimeoutMs: 5_000,
    resolve: async () => ['127.0.0.1'],
  })
  const send = ({ url, deadlineMs }: Target) => {
    const body = { contentType: 'text/plain', body: 'x', key: 'cb_1', webhookHeaders: {} }
    return sendCallback(agent, { ...body, url, wanted: anyAnswer }, deadlineMs)
  }
  await Promise.all(warmUp.map(send))
  const before = process.resourceUsage().maxRSS
  const outcomes = await Promise.all(targets.map(send))
  const grownBytes = (process.resourceUsage().maxRSS - before) * 1024
  await agent.destroy()
  console.log(JSON.stringify({ outcomes, grownBytes }))
}

if (process.argv[1] === self) await run(JSON.parse(process.argv[2]!))

import type { Command } from 'commander'
import { UsageError } from '../base/errors.ts'

interface DemoFlags {
  once?: true
  port?: string
  seed?: string
  callbackUrl?: string
}

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('run the whole gateway with a sandbox chain: an order, its payment and its callback')
    .option('--once', 'exit when done: with 0, or with 1 and the reason')
    .option('--port <port>', 'port of the API; the chain listens on the next one; default: any free ones')
    .option('--seed <text>', 'the same seed gives the same appid, keys and addresses; default: random')
    .option('--callback-url <url>', "your own endpoint as the merchant's; default: the demo's")
    .action(runUntilStopped)
}

async function runUntilStopped(flags: DemoFlags): Promise<void> {
  const asked = stopAsked()
  const { runDemo } = await import('../demo/demo.ts')
  try {
    const demo = await runDemo({
      print: line => console.log(line),
      signal: asked,
      port: flags.port === undefined ? null : readPort(flags.port),
      seed: flags.seed ?? null,
      callbackUrl: flags.callbackUrl ?? null,
    })
    try {
      if (!flags.once) {
        await demo.showSettings()
        await Promise.race([demo.failed, new Promise(resolve => asked.addEventListener('abort', resolve))])
      }
    } finally {
      await demo.stop()
    }
  } catch (error) {
    if (!asked.aborted) throw error
    // Not done: `--once` must not look as if it were.
    process.exitCode = 130
  }
  if (asked.aborted) console.log('The demo has stopped, and its database is deleted.')
}

/** Between two signals that are two. One Ctrl-C may come twice: from the terminal, and passed on by npm. */
const secondSignalMs = 500

/** Aborts at the first signal. A second one ends the process at once; the database is stopped and deleted all the same. */
function stopAsked(): AbortSignal {
  const asking = new AbortController()
  let firstAt = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (!asking.signal.aborted) firstAt = performance.now()
      else if (performance.now() - firstAt > secondSignalMs) process.exit(130)
      asking.abort()
    })
  return asking.signal
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  // The chain takes the next one.
  if (port < 1 || port > 65_534) throw new UsageError([`--port: a port from 1 to 65534, got "${text}"`])
  return port
}

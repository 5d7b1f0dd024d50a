import type { TestContext } from 'node:test'
import { Command } from 'commander'

/** Runs a command in this process, on this process's environment. @returns what it printed. */
export async function commandInProcess(
  t: TestContext,
  add: (program: Command) => unknown,
  ...args: string[]
): Promise<string> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
  add(program)
  // A subcommand copies that setting only if it is created later.
  for (const group of program.commands) {
    for (const command of [group, ...group.commands]) command.exitOverride()
  }
  const printed: string[] = []
  const print = (...parts: unknown[]) => void printed.push(parts.join(' '))
  const log = t.mock.method(console, 'log', print)
  try {
    await program.parseAsync(args, { from: 'user' })
  } finally {
    log.mock.restore()
  }
  return printed.join('\n')
}

import type { FailpointName } from '../../src/base/failpoint.ts'
import type { Deployment } from './deployment.ts'

/** Runs a command of the gateway to its end. @throws Error with what it said when that was not a good one. */
export async function runCommand(deployment: Deployment, ...args: string[]): Promise<string> {
  const command = deployment.command(args.join(' '), ...args)
  await command.start()
  const { code } = await command.ended()
  if (code !== 0) throw new Error(`gateway ${args.join(' ')} ended with ${code}: ${command.output()}`)
  return command.output()
}

/** Runs one that dies at its first passing of a failpoint. @throws Error when it ended in another way. */
export async function dieInCommand(
  deployment: Deployment,
  failpoint: FailpointName,
  ...args: string[]
): Promise<void> {
  const command = deployment.command(args.join(' '), ...args)
  await command.start({ FAILPOINT: failpoint })
  const { code, signal } = await command.ended()
  if (signal !== 'SIGKILL')
    throw new Error(`gateway ${args.join(' ')} ended with ${code}, not at ${failpoint}: ${command.output()}`)
}

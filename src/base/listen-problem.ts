import { UsageError } from './errors.ts'

const problems: Record<string, (host: string, port: number) => string> = {
  EADDRINUSE: (host, port) => `${host}:${port} is in use by another process: stop it, or choose another port`,
  EACCES: (_, port) => `this user may not listen on port ${port}: choose one above 1023`,
  EADDRNOTAVAIL: host => `${host} is no address of this machine`,
  ENOTFOUND: host => `${host} is no address of this machine`,
}

/**
 * Names the setting that is to blame when a server cannot listen.
 * @param settings their names: `HOST` and `PORT`, or the options of a command.
 * @returns a UsageError with the error as its cause; other errors as they are.
 */
export function listenProblem(
  error: unknown,
  where: { host: string; port: number; settings: { host: string; port: string } },
): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const say = problems[code]
  if (!say) return error
  const { host, port, settings } = where
  const isHost = code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
  const problem = new UsageError(`${isHost ? settings.host : settings.port}: ${say(host, port)}`)
  return Object.assign(problem, { cause: error })
}

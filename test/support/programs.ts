import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where a program is on the PATH; null when it is not there. */
export function findProgram(name: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder && existsSync(join(folder, name))) return join(folder, name)
  }
  return null
}

/** Finds a program, or installs the Debian package that brings it where that is possible (Debian, root). */
export function findOrInstall(program: string, debianPackage: string): string | null {
  const found = findProgram(program)
  if (found || !existsSync('/etc/debian_version') || process.getuid?.() !== 0) return found
  const apt = (...args: string[]) =>
    spawnSync('apt-get', args, {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  apt('update')
  apt('install', '-y', '--no-install-recommends', debianPackage)
  return findProgram(program)
}

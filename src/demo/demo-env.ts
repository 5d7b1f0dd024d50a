import { existsSync, readFileSync, rmSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'

const fileName = 'demo.env'
const heading = '# Of the running demo, which deletes this file when it stops.'

/** The file to source. It exists while the demo runs. */
export interface DemoEnv {
  path: string
  /** Deletes the file, unless another demo has written it since. */
  remove(): Promise<void>
}

/**
 * Writes what a merchant's program needs as `demo.env` into the working directory, readable by its owner alone. The names are
 * those of the clients' examples. No value needs quotes, so that a shell, Docker and dotenv read the same.
 */
export async function writeDemoEnv(values: Readonly<Record<string, string>>): Promise<DemoEnv> {
  const path = resolve(fileName)
  const before = await readFile(path, 'utf8').catch(() => null)
  if (before !== null && !before.startsWith(heading))
    throw new Error(`${path} is not the demo's: move it, or run the demo in another folder`)
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}`)
  const text = `${[heading, ...lines].join('\n')}\n`
  await rm(path, { force: true })
  await writeFile(path, text, { mode: 0o600, flag: 'wx' })
  const remove = () => {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) rmSync(path)
  }
  // It has secrets, so it does not stay behind when a second signal ends the demo at once.
  process.once('exit', remove)
  return {
    path,
    remove: async () => {
      process.off('exit', remove)
      remove()
    },
  }
}

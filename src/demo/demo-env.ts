import { readFile, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'

const fileName = 'demo.env'

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
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}`)
  const text = `${['# Of the running demo, which deletes this file when it stops.', ...lines].join('\n')}\n`
  await rm(path, { force: true })
  await writeFile(path, text, { mode: 0o600, flag: 'wx' })
  return {
    path,
    remove: async () => {
      if ((await readFile(path, 'utf8').catch(() => '')) === text) await rm(path, { force: true })
    },
  }
}

import { readFile } from 'node:fs/promises'

/**
 * Reads an .env file as docker compose and systemd do: NAME=value lines, quotes around a value taken off, comments left out.
 * @param path relative to the repository's root.
 */
export async function readEnvFile(path: string): Promise<Record<string, string>> {
  return parseEnv(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8'))
}

/** The same of the text of such a file. */
export function parseEnv(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^([A-Z_0-9]+)=(?:'(.*)'|"(.*)"|(.*))$/gm)].map(([, name, single, double, bare]) => [
      name!,
      single ?? double ?? bare!,
    ]),
  )
}

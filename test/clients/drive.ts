import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Kit } from './kits.ts'

// Each language has a driver in drivers/, a program that does with the client what the lines of its input say and
// answers each with a line, in the same words in every language: so one table of cases serves them all.

/** Ask an endpoint. @see drivers */
export interface CallCase {
  url: string
  key: string
  scheme: 'hmac-sha256' | 'sha1'
  retries: number
  timeoutMs: number
  endpoint: string
  parameters: Readonly<Record<string, string>>
}

/** Verify what the gateway posts. */
export interface VerifyCase {
  /** `any`: as what it says it is. Default callback. */
  as?: 'callback' | 'deposit' | 'event' | 'any'
  secrets: readonly string[]
  keys: readonly string[]
  scheme: 'hmac-sha256' | 'sha1'
  /** Unix seconds. */
  now: number
  /** Their values are bytes, as latin1. */
  headers: Readonly<Record<string, string>>
  body: string | Buffer
}

/** The line for a request. No value has a tab. */
export function callLine(appid: string, it: CallCase): string {
  const settings = [it.url, appid, it.key, it.scheme, it.retries, it.timeoutMs, it.endpoint]
  return ['call', ...settings, ...pairs(it.parameters)].join('\t')
}

/** The line for what the gateway posts. Its body and the values of its headers are any bytes. */
export function verifyLine(appid: string, it: VerifyCase): string {
  const keys = [it.secrets.join(','), it.keys.join(','), it.scheme]
  const body = Buffer.from(it.body).toString('base64')
  return [it.as ?? 'callback', appid, ...keys, it.now, body, ...pairs(base64Of(it.headers))].join('\t')
}

/** Far more than thousands of lines take: a parser that takes minutes for a megabyte is a fault too. */
const driveMs = 180_000

/** Gives the driver of a kit all lines, and returns its answers. @throws Error with what it said when it fails. */
export async function drive(kit: Kit, lines: readonly string[]): Promise<string[]> {
  const [program, ...args] = kit.drive
  const child = spawn(program!, args, {
    cwd: kit.folder,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: driveMs,
    killSignal: 'SIGKILL',
  })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', chunk => output.push(chunk))
  child.stderr.on('data', chunk => errors.push(chunk))
  child.stdin.end(`${lines.join('\n')}\n`)
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${kit.name}'s driver ended with ${code}: ${Buffer.concat(errors)}`)
  return Buffer.concat(output).toString('utf8').trimEnd().split('\n')
}

function base64Of(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, 'latin1').toString('base64')]),
  )
}

function pairs(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${value}`)
}

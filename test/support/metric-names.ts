import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const src = join(import.meta.dirname, '../../src')

/** The text of every file of src. */
function sources(): string[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.startsWith(join('db', 'generated')))
    .map(file => readFileSync(join(src, file), 'utf8'))
}

/** Every metric that the code defines: `name: 'gateway_...'`, or the first argument of a function that makes one. */
export function metricNames(): string[] {
  const found = sources().flatMap(text => [...text.matchAll(/(?:name: |gauge\()\s*'(gateway_[a-z0-9_]+)'/g)])
  return [...new Set(found.map(([, name]) => name!))].sort()
}

/** Every line that the code writes into the log from `info` on, by its name: the last text of the call. */
export function logNames(): string[] {
  const found = sources().flatMap(text =>
    [...text.matchAll(/\blog\??\.(?:info|warn|error|fatal)\(/g)].map(
      ({ index, 0: head }) => callAt(text, index + head.length).match(/'([a-z_]+\.[a-z_]+)'\s*,?\s*$/)?.[1],
    ),
  )
  return [...new Set(found.filter(name => name !== undefined))].sort()
}

/** The arguments of a call that begins at `start`, up to its closing parenthesis. */
function callAt(text: string, start: number): string {
  let depth = 1
  for (let end = start; end < text.length; end++) {
    if (text[end] === '(') depth++
    else if (text[end] === ')' && --depth === 0) return text.slice(start, end)
  }
  return ''
}

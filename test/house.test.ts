import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'

const src = join(import.meta.dirname, '../src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  file => /\.(tsx?|js)$/.test(file) && !file.startsWith(join('db', 'generated')),
)
const imports = files.flatMap(file =>
  [...readFileSync(join(src, file), 'utf8').matchAll(/(?:from|import|import\()\s*'(\.[^']+)'/g)].map(
    ([, target]) => [file, normalize(join(dirname(file), target!))] as const,
  ),
)

/**
 * What may import what, as ARCHITECTURE.md has it: a room imports only rooms on lines before its own. A room is a file or a
 * folder; `*` stands for the folder's own files, which the page names by one of them or by a word.
 */
const order = new Map<string, string[][]>()
const page = readFileSync(join(src, '../ARCHITECTURE.md'), 'utf8')
const [whole, inner] = [...page.split('## Imports')[1]!.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) =>
  block.trim().split('\n'),
)
order.set(
  '.',
  whole!.map(line => line.trim().split(/\s+/)),
)
for (const line of inner!) {
  const [, folder, rooms] = /^\s*(\w+):\s+(.*?)(?: {2,}\(.*)?$/.exec(line)!
  const isFolder = (room: string) => existsSync(join(src, folder!, room)) && !/\.(tsx?|js)$/.test(room)
  order.set(
    folder!,
    rooms!.split(' <- ').map(step => step.split(' ').map(room => (isFolder(room) ? room : '*'))),
  )
}

for (const [folder, lines] of order) {
  test(`imports in src/${folder} point one way`, () => {
    const lineOf = new Map(lines.flatMap((line, i) => line.map(room => [room, i] as const)))
    const roomOf = (file: string) => partOf(folder, file)
    const unnamed = files.map(roomOf).filter(room => room !== undefined && !lineOf.has(room))
    assert.deepEqual(unnamed, [], 'rooms that the order does not name')
    const wrong = imports.filter(([from, to]) => {
      const [a, b] = [roomOf(from), roomOf(to)]
      return a !== undefined && b !== undefined && a !== b && lineOf.get(b)! >= lineOf.get(a)!
    })
    assert.deepEqual(wrong, [])
  })
}

test('no folder imports a folder that leads back to it, at any depth', () => {
  const parents = new Set(files.map(dirname).flatMap(folder => [folder, ...ancestors(folder)]))
  for (const parent of parents) {
    const graph = new Map<string, Set<string>>()
    for (const [from, to] of imports) {
      const [a, b] = [partOf(parent, from), partOf(parent, to)]
      if (a !== undefined && b !== undefined && a !== b) graph.set(a, (graph.get(a) ?? new Set()).add(b))
    }
    assert.equal(circleIn(graph), null, `in src/${parent}`)
  }
})

test('no two files in src share a name', () => {
  const names = files.map(file => basename(file))
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
})

/** The room of a folder that a file is in: a subfolder, or `*`; each file in src itself is a room. */
function partOf(folder: string, file: string): string | undefined {
  const inside = relative(folder, file)
  if (inside.startsWith('..')) return undefined
  return inside.includes('/') || folder === '.' ? inside.split('/')[0]! : '*'
}

function ancestors(folder: string): string[] {
  return folder === '.' ? [] : [dirname(folder), ...ancestors(dirname(folder))]
}

/** @returns the parts of a circle joined by arrows; null when there is none. */
function circleIn(graph: ReadonlyMap<string, ReadonlySet<string>>): string | null {
  const done = new Set<string>()
  const walk = (part: string, path: readonly string[]): string | null => {
    if (path.includes(part)) return [...path.slice(path.indexOf(part)), part].join(' -> ')
    if (done.has(part)) return null
    for (const next of graph.get(part) ?? []) {
      const circle = walk(next, [...path, part])
      if (circle) return circle
    }
    done.add(part)
    return null
  }
  for (const part of graph.keys()) {
    const circle = walk(part, [])
    if (circle) return circle
  }
  return null
}

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

test('docs/audit-differences.md says for every check of the audit what to do, and for no other', () => {
  const sources = readdirSync(join(root, 'src/audit')).map(file =>
    readFileSync(join(root, 'src/audit', file), 'utf8'),
  )
  const name = /'((?:chain|callback|credit|order|transfer|merchant|deposit|mark|audit)\.[a-z]+)'/g
  const checks = new Set(sources.flatMap(text => [...text.matchAll(name)].map(([, found]) => found!)))
  // An event, by which a check finds the chain's beginning.
  assert(checks.delete('audit.began'))
  const page = readFileSync(join(root, 'docs/audit-differences.md'), 'utf8')
  const cells = [...page.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell!)
  const listed = cells.flatMap(cell => [...cell.matchAll(/`([a-z.]+)`/g)].map(([, found]) => found!))
  assert(checks.size > 20)
  assert.deepEqual(listed.toSorted(), [...checks].sort())
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'

// npm's own reading of version ranges; it has no types.
const semver: { subset(range: string, of: string): boolean } = createRequire(import.meta.url)('semver')

const read = (name: string) => readFileSync(join(import.meta.dirname, '..', name), 'utf8')
const ours: string = JSON.parse(read('package.json')).engines.node
const lock: { packages: Record<string, { version?: string; engines?: { node?: string } }> } = JSON.parse(
  read('package-lock.json'),
)

test('every package runs on every version of Node that package.json names: npm ci warns of none', () => {
  const packages = Object.entries(lock.packages)
  assert(packages.filter(([, { engines }]) => engines?.node).length > 100, 'the lockfile names engines')
  const others = packages.flatMap(([path, { version, engines }]) =>
    engines?.node && !semver.subset(ours, engines.node) ? [`${path}@${version} wants ${engines.node}`] : [],
  )
  assert.deepEqual(others, [])
})

test('the pages name the versions of Node that package.json names', () => {
  assert.equal(ours, '^20.19 || ^22.12 || >=24')
  for (const page of ['README.md', 'docs/quickstart.md'])
    assert.match(read(page), /Node 20\.19, 22\.12, 24 or\s+newer/, page)
  for (const page of ['README.zh-CN.md', 'docs/zh-CN/quickstart.md'])
    assert.match(read(page), /Node 20\.19、22\.12、24 或更新版本/, page)
})

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { logNames, metricNames } from '../support/metric-names.ts'

const page = await readFile(new URL('../../docs/logs-and-metrics.md', import.meta.url), 'utf8')
const [metrics, lines] = page.split('## Log lines') as [string, string]
const listed = (part: string) =>
  [...part.matchAll(/^\| `([a-z0-9_.]+)` \|/gm)].map(([, name]) => name!).sort()

test('docs/logs-and-metrics.md lists every metric of the code, and no other', () => {
  assert(metricNames().length > 40)
  assert.deepEqual(listed(metrics), metricNames())
})

test('docs/logs-and-metrics.md lists every line of the log from info on, and no other', () => {
  assert(logNames().length > 80)
  assert.deepEqual(
    listed(lines).filter(name => name !== 'chain.one_node'),
    logNames(),
  )
})

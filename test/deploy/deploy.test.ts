import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { alarmNames } from '../../src/alarms/alarm.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import { metricNames } from '../support/metric-names.ts'
import { findOrInstall, findProgram } from '../support/programs.ts'

const deploy = join(import.meta.dirname, '../../deploy')
const rulesPath = join(deploy, 'prometheus/rules.yml')
const rules = readFileSync(rulesPath, 'utf8')
const dashboard = JSON.parse(readFileSync(join(deploy, 'grafana/recharge-gateway.json'), 'utf8'))
const folder = await mkdtemp(join(tmpdir(), 'deploy-'))
after(() => rm(folder, { recursive: true, force: true }))

const known = new Set(metricNames())
/** Node's own metrics, and Prometheus' one. */
const others = new Set([
  'up',
  ...createMetrics()
    .getMetricsAsArray()
    .map(({ name }) => name),
])

/** Metrics that an expression names, without the suffixes of a histogram. */
function metricsOf(expression: string): string[] {
  const names =
    expression.replace(/\{[^}]*\}/g, '').match(/\b(gateway|process|nodejs)_[a-z0-9_]+|\bup\b/g) ?? []
  return names.map(name => name.replace(/_(bucket|sum|count)$/, ''))
}

test('every metric of the rules and the dashboard exists in the code', () => {
  const expressions = dashboard.panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr),
  )
  const named = [
    ...metricsOf(rules.replace(/^\s*(#|summary|action).*$/gm, '')),
    ...expressions.flatMap(metricsOf),
  ]
  assert(named.length > 40)
  assert.deepEqual(
    [...new Set(named)].filter(name => !known.has(name) && !others.has(name)),
    [],
  )
})

test('every panel has an expression, and a place of its own', () => {
  const places = dashboard.panels.map((panel: { gridPos: { x: number; y: number }; targets: unknown[] }) => {
    assert(panel.targets.length > 0)
    return `${panel.gridPos.x} ${panel.gridPos.y}`
  })
  assert.equal(new Set(places).size, places.length)
})

test('what to do for each alert and each alarm is in docs/alarms.md', () => {
  const page = readFileSync(join(deploy, '../docs/alarms.md'), 'utf8')
  const headings = new Set([...page.matchAll(/^### `(\w+)`/gm)].map(([, name]) => name!))
  const actions = [...rules.matchAll(/action: "docs\/alarms\.md, (\w+)"/g)].map(([, name]) => name!)
  assert(actions.length > 10)
  for (const name of [...actions, ...alarmNames]) assert(headings.has(name), `### \`${name}\``)
})

const promtool = findOrInstall('promtool', 'prometheus')
const noPromtool = promtool ? false : 'promtool is not on the PATH and cannot be installed here'

test('promtool accepts the rules and the scraping', { skip: noPromtool }, () => {
  assertRuns(promtool!, ['check', 'rules', rulesPath])
  cpSync(join(deploy, 'prometheus'), join(folder, 'prometheus'), { recursive: true })
  assertRuns(promtool!, ['check', 'config', join(folder, 'prometheus/scrape.yml')])
})

test('the rules alert when they should, and only then', { skip: noPromtool }, () => {
  const text = readFileSync(join(import.meta.dirname, 'rules-test.yml'), 'utf8')
  const path = join(folder, 'rules-test.yml')
  writeFileSync(path, text.replace('RULES', rulesPath))
  assertRuns(promtool!, ['test', 'rules', path])
})

const analyze = findProgram('systemd-analyze')

test('systemd accepts the units', { skip: analyze ? false : 'systemd-analyze is not on the PATH' }, () => {
  const units = join(folder, 'units')
  cpSync(join(deploy, 'systemd'), units, { recursive: true })
  for (const name of readdirSync(units).filter(name => name.endsWith('.service'))) {
    // It looks whether the program is there.
    const text = readFileSync(join(units, name), 'utf8').replaceAll('/usr/bin/node', process.execPath)
    writeFileSync(join(units, name), text)
  }
  for (const unit of ['recharge-gateway@watcher.service', 'recharge-gateway-migrate.service']) {
    const { status, stderr } = spawnSync(analyze!, ['verify', '--man=no', join(units, unit)], {
      encoding: 'utf8',
    })
    const ours = stderr.split('\n').filter(line => line.includes('recharge-gateway'))
    assert.deepEqual(ours, [], stderr)
    assert.equal(status, 0, stderr)
  }
})

const caddy = findProgram('caddy')

test('Caddy accepts the Caddyfile', { skip: caddy ? false : 'caddy is not on the PATH' }, () => {
  const path = join(deploy, 'caddy/Caddyfile')
  assertRuns(caddy!, ['adapt', '--config', path, '--adapter', 'caddyfile', '--validate'])
})

function assertRuns(program: string, args: string[]): void {
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env })
  assert.equal(status, 0, `${stdout}${stderr}`)
}

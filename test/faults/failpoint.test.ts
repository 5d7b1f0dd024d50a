import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { UsageError } from '../../src/base/errors.ts'
import { failpointNames } from '../../src/base/failpoint.ts'

const root = join(import.meta.dirname, '../..')

describe('a failpoint', () => {
  test('is refused wherever money has a value, and where the network is not said', () => {
    for (const TRON_NETWORK of ['mainnet', 'nile', 'shasta', '', undefined]) {
      assert.match(
        problemsOf({ FAILPOINT: 'credit:before-commit', TRON_NETWORK }).join(),
        /FAILPOINT kills the process/,
      )
    }
    for (const TRON_NETWORK of ['sandbox', 'private'])
      assert.deepEqual(problemsOf({ FAILPOINT: 'credit:before-commit', TRON_NETWORK }), [])
  })

  test('has a name, a passing and an act; anything else is refused', () => {
    const read = (FAILPOINT: string) => readConfig({ FAILPOINT, TRON_NETWORK: 'sandbox' }).failpoints
    assert.deepEqual(read('courier:after-send'), [{ name: 'courier:after-send', passing: 1, act: 'kill' }])
    assert.deepEqual(read('courier:after-send@12:stop, order:before-insert@3'), [
      { name: 'courier:after-send', passing: 12, act: 'stop' },
      { name: 'order:before-insert', passing: 3, act: 'kill' },
    ])
    for (const FAILPOINT of ['courier', 'courier:after-send@0', 'courier:after-send:leap', ',', 'x@1:kill'])
      assert.equal(problemsOf({ FAILPOINT, TRON_NETWORK: 'sandbox' }).length, 1, FAILPOINT)
    assert.deepEqual(readConfig({ TRON_NETWORK: 'mainnet' }).failpoints, [])
  })

  test('stands in the code once for each name', async () => {
    const files = (await readdir(join(root, 'src'), { recursive: true })).filter(name => name.endsWith('.ts'))
    const sources = await Promise.all(files.map(name => readFile(join(root, 'src', name), 'utf8')))
    const placed = sources.flatMap(source =>
      [...source.matchAll(/failpoint\('([^']+)'\)/g)].map(([, n]) => n),
    )
    assert.deepEqual(placed.sort(), [...failpointNames].sort())
  })

  test('kills the process at the passing named, not before, and nothing runs after it', () => {
    const program = `
      import { armFailpoints, failpoint } from './src/base/failpoint.ts'
      armFailpoints([{ name: 'courier:after-send', passing: 3, act: 'kill' }])
      for (let n = 1; n < 10; n++) {
        failpoint('courier:before-send')
        failpoint('courier:after-send')
        console.log(n)
      }`
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
    const { signal, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    assert.deepEqual([signal, stdout, stderr], ['SIGKILL', '1\n2\n', 'failpoint courier:after-send kill\n'])
  })
})

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(env)
  } catch (error) {
    assert(error instanceof UsageError)
    return error.problems
  }
  return []
}

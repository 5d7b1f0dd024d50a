import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import { checkProxies, checkSettings } from '../../src/doctor/check-settings.ts'
import { parseEnv, readEnvFile } from '../support/env-file.ts'

// The worked .env of docs/going-live.md, in both languages, as the gateway reads it.
const masterKey = 'ab'.repeat(32)
const password = 'ab'.repeat(16)

for (const folder of ['docs', 'docs/zh-CN']) {
  test(`${folder}/going-live.md: the .env for the main network is right, with and without Docker`, async () => {
    const { docker, host } = await readPage(folder)
    const named = Object.keys(await readEnvFile('.env.example'))
    assert.deepEqual(
      [...Object.keys(docker), ...Object.keys(host)].filter(name => !named.includes(name)),
      [],
      'every name is in .env.example',
    )
    const empty = Object.keys(docker).filter(name => docker[name] === '')
    assert.deepEqual(empty, [
      'MASTER_KEY',
      'POSTGRES_PASSWORD',
      'GATEWAY_DB_PASSWORD',
      'REDIS_PASSWORD',
      'TRONGRID_API_KEY',
    ])
    for (const env of [
      {
        ...docker,
        MASTER_KEY: masterKey,
        DATABASE_URL: `postgres://gateway_app:${password}@postgres:5432/gateway`,
      },
      { ...docker, ...host, MASTER_KEY: masterKey },
    ]) {
      const config = readConfig(env, 'api', 'watcher', 'courier')
      assert.equal(config.tronNetwork, 'mainnet')
      const hosts = config.tronNodes.map(({ headUrl }) => new URL(headUrl).hostname)
      assert.equal(new Set(hosts).size, 2, 'two hosts')
      const found = [...checkSettings(env), ...checkProxies(env)]
      assert.deepEqual(
        found.filter(({ level }) => level !== 'ok'),
        [],
      )
    }
  })
}

test('both languages show the same values', async () => {
  assert.deepEqual(await readPage('docs'), await readPage('docs/zh-CN'))
})

async function readPage(folder: string) {
  const page = await readFile(new URL(`../../${folder}/going-live.md`, import.meta.url), 'utf8')
  const block = (name: string) => {
    const found = new RegExp(`<!-- test: ${name} -->\\n\`\`\`sh\\n(.*?)^\`\`\`$`, 'ms').exec(page)
    assert(found, name)
    return parseEnv(found[1]!)
  }
  return { docker: block('mainnet'), host: block('mainnet without Docker') }
}

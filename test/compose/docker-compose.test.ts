import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { readConfig } from '../../src/base/config.ts'
import { readEnvFile } from '../support/env-file.ts'

// There is no Docker here: the file is read as docker compose reads it, and what must hold is looked up.
interface Service {
  [key: string]: unknown
  networks: string[]
  environment?: Record<string, string>
  tmpfs: string[]
  volumes?: string[]
  ports?: string[]
  logging: { options: Record<string, string> }
}
const root = new URL('../../', import.meta.url)
const text = await readFile(new URL('docker-compose.yml', root), 'utf8')
const compose = parse(text, { merge: true })
const services = Object.entries(compose.services as Record<string, Service>)
const service = (name: string) => compose.services[name] as Service
const gatewayServices = ['migrate', 'api', 'watcher', 'courier']
const example = await readEnvFile('.env.example')
const passwords = {
  POSTGRES_PASSWORD: 'pg-secret',
  GATEWAY_DB_PASSWORD: 'db-secret',
  REDIS_PASSWORD: 'rd-secret',
}
const filled = { ...example, ...passwords, MASTER_KEY: 'ab'.repeat(32) }

/** What a service has in its environment: env_file under `environment`, interpolated. */
function environmentOf(name: string, env: Record<string, string> = filled): Record<string, string> {
  const own = Object.entries(service(name).environment ?? {})
  const file = service(name).env_file === '.env' ? env : {}
  return { ...file, ...Object.fromEntries(own.map(([key, value]) => [key, interpolate(value, env)])) }
}

function interpolate(value: string, env: Record<string, string>): string {
  return value.replace(/\$\{([A-Z_0-9]+)(?::([-?])([^}]*))?\}/g, (_, name, kind, word) => {
    if (env[name]) return env[name]
    assert.notEqual(kind, '?', `${name}: ${word}`)
    return kind === '-' ? word : ''
  })
}

for (const [name, it] of services) {
  test(`${name} runs contained: read-only, without capabilities, within its memory, its log bounded`, () => {
    assert.equal(it.read_only, true)
    assert.deepEqual(it.cap_drop, ['ALL'])
    assert.deepEqual(it.security_opt, ['no-new-privileges:true'])
    assert.deepEqual(it.cap_add, name === 'proxy' ? ['NET_BIND_SERVICE'] : undefined)
    assert.notEqual(it.privileged, true)
    assert.match(String(it.mem_limit), /^[0-9]+[mg]$/)
    assert(it.tmpfs.every(mount => /size=/.test(mount)))
    assert.match(it.logging.options['max-size']!, /^[0-9]+m$/)
    assert.match(it.logging.options['max-file']!, /^[0-9]+$/)
  })
}

test('MASTER_KEY is only where keys and secrets are opened, the superuser only at Postgres', () => {
  const having = (key: string) => services.map(([name]) => name).filter(name => environmentOf(name)[key])
  assert.deepEqual(having('MASTER_KEY'), ['api', 'courier'])
  assert.deepEqual(having('POSTGRES_PASSWORD'), ['postgres'])
  for (const name of gatewayServices)
    assert(!JSON.stringify(environmentOf(name)).includes(passwords.POSTGRES_PASSWORD), name)
})

test('each process has what it cannot do without, and answers for its health inside the network alone', () => {
  for (const role of ['api', 'watcher', 'courier'] as const) {
    const config = readConfig(environmentOf(role), role)
    assert.equal(
      config.databaseUrl,
      `postgres://gateway_app:${passwords.GATEWAY_DB_PASSWORD}@postgres:5432/gateway`,
    )
    assert.equal(config.redisUrl, `redis://:${passwords.REDIS_PASSWORD}@redis:6379`)
    assert.equal(config.healthHost, '0.0.0.0')
    assert.equal(config.healthPort, 9090)
    assert(service(role).networks.includes('default'))
  }
  readConfig(environmentOf('migrate'), 'command')
  const published = services.flatMap(([name, { ports = [] }]) => ports.map(port => `${name} ${port}`))
  const own = `\${PUBLISH:-127.0.0.1:8080}:8080`
  assert.deepEqual(published, [`api ${own}`, 'proxy 80:80', 'proxy 443:443', 'proxy 443:443/udp'])
})

test('the stores are on a network of their own that leads nowhere', () => {
  assert.equal(compose.networks.stores.internal, true)
  const on = (network: string) =>
    services.filter(([, it]) => it.networks.includes(network)).map(([name]) => name)
  assert.deepEqual(on('stores'), ['postgres', 'redis', ...gatewayServices])
  for (const store of ['postgres', 'redis']) assert.deepEqual(service(store).networks, ['stores'])
  assert.deepEqual(on('proxy'), ['api', 'proxy'])
  assert.equal(compose.networks.proxy.internal, true)
})

test('no proxy is trusted until one stands in front; then it is its network alone, as the settings say', async () => {
  assert.deepEqual(readConfig(environmentOf('api'), 'api').trustProxy, [])
  assert.deepEqual(service('proxy').profiles, ['proxy'])
  assert.equal(example.COMPOSE_PROFILES, '')
  const [{ subnet }] = compose.networks.proxy.ipam.config
  const trusted = { ...filled, TRUST_PROXY: subnet }
  assert.deepEqual(readConfig(environmentOf('api', trusted), 'api').trustProxy, [subnet])
  for (const page of ['.env.example', 'docker-compose.yml', 'docs/docker-compose.md'])
    assert((await readFile(new URL(page, root), 'utf8')).includes(`TRUST_PROXY=${subnet}`), page)
})

test('Redis takes its password from the environment, not from its arguments, and is asked with it', () => {
  const command = (service('redis').command as unknown as string[]).join(' ')
  assert(command.includes(`'requirepass %s\\n' "$$REDISCLI_AUTH"`))
  assert(!command.includes('${'))
  assert.equal(environmentOf('redis').REDISCLI_AUTH, passwords.REDIS_PASSWORD)
})

test('every variable the file interpolates is in .env.example, and a missing password is asked for by its name', () => {
  const names = new Set([...text.matchAll(/\$\{([A-Z_0-9]+)/g)].map(([, name]) => name!))
  assert.deepEqual(
    [...names].filter(name => !(name in example)),
    [],
  )
  for (const name of Object.keys(passwords)) {
    const without = () => services.map(([one]) => environmentOf(one, { ...filled, [name]: '' }))
    assert.throws(without, new RegExp(`${name}: set ${name} in .env`))
  }
})

test('a shell sources .env.example to the values that docker compose reads, also with several ports for a node', async () => {
  const nodes = 'http://10.0.0.1:8090|http://10.0.0.1:8091,https://nile.trongrid.io?a=1&b=$HOME'
  const file = await readFile(new URL('.env.example', root), 'utf8')
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-env-'))
  after(() => rm(folder, { recursive: true }))
  const edited = file.replace(/^(TRON_NODES=').*'$/m, (_, start) => `${start}${nodes}'`)
  for (const [source, expected] of [
    [file, example],
    [edited, { ...example, TRON_NODES: nodes }],
  ] as const) {
    const path = join(folder, 'env')
    await writeFile(path, source)
    const { stdout, stderr, status } = spawnSync('sh', ['-c', 'set -eua; . "$0"; exec env -0', path], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: '/home' },
    })
    assert.deepEqual([status, stderr], [0, ''])
    const sourced = Object.fromEntries(stdout.split('\0').map(line => line.split(/=(.*)/s).slice(0, 2)))
    for (const [name, value] of Object.entries(expected)) assert.equal(sourced[name], value, name)
  }
})

test('the files that Postgres is given are there, and the shell script is one', () => {
  for (const mount of service('postgres').volumes!.filter(volume => volume.startsWith('./'))) {
    const path = fileURLToPath(new URL(mount.split(':')[0]!, root))
    const check = path.endsWith('.sh') ? ['-n', path] : ['-c', `test -r "${path}"`]
    assert.equal(spawnSync('sh', check).status, 0, mount)
  }
})

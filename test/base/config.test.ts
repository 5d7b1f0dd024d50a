import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { type Role, readConfig } from '../../src/base/config.ts'
import { UsageError } from '../../src/base/errors.ts'
import { type SettingName, settingOf, settings } from '../../src/base/settings.ts'
import { readEnvFile } from '../support/env-file.ts'

const right = {
  DATABASE_URL: 'postgres://u:p@localhost/db',
  MASTER_KEY: 'ab'.repeat(32),
  TRON_NETWORK: 'nile',
  TRON_NODES: 'http://10.0.0.1:8090|http://10.0.0.1:8091,https://nile.trongrid.io/',
  PUBLIC_URL: 'https://pay.example/',
}

function problemsOf(env: Record<string, string>, ...roles: Role[]): readonly string[] {
  try {
    readConfig(env, ...roles)
  } catch (error) {
    assert(error instanceof UsageError)
    return error.problems
  }
  return []
}

/** In .env.example for docker-compose.yml alone. */
const composeVariables = [
  ...['POSTGRES_PASSWORD', 'GATEWAY_DB_PASSWORD', 'GATEWAY_DB_ROLE', 'REDIS_PASSWORD'],
  ...['PUBLISH', 'COMPOSE_PROFILES'],
]

test('.env.example names every setting with its sentence and its default, and nothing else but what compose needs', async () => {
  const example = await readFile(new URL('../../.env.example', import.meta.url), 'utf8')
  const values = await readEnvFile('.env.example')
  const lines = [...example.matchAll(/^# (.*)\n([A-Z_0-9]+)=/gm)]
  const named = lines.map(([, , name]) => name!)
  assert.deepEqual(named.toSorted(), [...composeVariables, ...Object.keys(settings)].sort())
  assert.deepEqual(Object.keys(values).sort(), named.sort())
  for (const [, sentence, name] of lines) {
    if (composeVariables.includes(name!)) continue
    const value = values[name!]
    const setting = settingOf[name as SettingName]
    assert.equal(sentence, setting.description, name)
    if (setting.default) assert.equal(value, setting.default, name)
  }
})

test('.env.example with its secrets filled in is a right configuration for Nile', async () => {
  const env = await readEnvFile('.env.example')
  const filled = { ...env, MASTER_KEY: right.MASTER_KEY, DATABASE_URL: right.DATABASE_URL }
  assert.deepEqual(problemsOf(filled, 'api', 'watcher', 'courier'), [])
})

test('a right environment is parsed into its own types', () => {
  const config = readConfig({
    ...right,
    ORDER_WINDOW: '30m',
    TRUST_PROXY: '10.0.0.0/8, ::1/128',
    START_BLOCK: '5',
  })
  assert.deepEqual(config.tronNodes, [
    { headUrl: 'http://10.0.0.1:8090', solidUrl: 'http://10.0.0.1:8091', jsonRpcUrl: undefined },
    { headUrl: 'https://nile.trongrid.io', solidUrl: 'https://nile.trongrid.io', jsonRpcUrl: undefined },
  ])
  assert.equal(config.masterKey?.length, 32)
  assert.equal(config.orderWindowMs, 1_800_000)
  assert.equal(config.publicUrl, 'https://pay.example')
  assert.deepEqual(config.trustProxy, ['10.0.0.0/8', '::1/128'])
  assert.equal(config.startBlock, 5)
})

test("a node's JSON-RPC may be named as a third URL, and nothing as a fourth", () => {
  const TRON_NODES = 'http://n:8090|http://n:8091|http://n:8555/,http://m'
  assert.deepEqual(readConfig({ TRON_NODES }).tronNodes, [
    { headUrl: 'http://n:8090', solidUrl: 'http://n:8091', jsonRpcUrl: 'http://n:8555' },
    { headUrl: 'http://m', solidUrl: 'http://m', jsonRpcUrl: undefined },
  ])
  for (const wrong of ['http://a|http://b|http://c|http://d', 'http://a||http://c', 'http://a|'])
    assert.throws(() => readConfig({ TRON_NODES: wrong }), /TRON_NODES must be/)
})

test('a node may be asked over gRPC: two ports of its own, JSON-RPC over HTTP, and nothing that gRPC has no place for', () => {
  const TRON_NODES =
    'grpc://n:50051|grpc://n:50061/,grpcs://[::1]:50051,grpc://n:50051|grpc://n:50061|http://n:8555,https://m'
  assert.deepEqual(readConfig({ TRON_NODES }).tronNodes, [
    { headUrl: 'grpc://n:50051', solidUrl: 'grpc://n:50061', jsonRpcUrl: undefined },
    { headUrl: 'grpcs://[::1]:50051', solidUrl: 'grpcs://[::1]:50051', jsonRpcUrl: undefined },
    { headUrl: 'grpc://n:50051', solidUrl: 'grpc://n:50061', jsonRpcUrl: 'http://n:8555' },
    { headUrl: 'https://m', solidUrl: 'https://m', jsonRpcUrl: undefined },
  ])
  const wrong = [
    ...[
      'grpc://n',
      'grpc://n:50051/path',
      'grpc://user:secret@n:50051',
      'grpc://n:50051?key=1',
      'grpc://n:99999',
    ],
    ...['grpc://n:50051|http://n:8091', 'http://n:8090|grpc://n:50061', 'grpc://n:1|grpc://n:2|grpc://n:3'],
    ...['grpc://n:50051|', 'grpc://:50051', 'grpcx://n:50051', 'grpc://n:50051 ,x'],
  ]
  for (const value of wrong) {
    assert.throws(() => readConfig({ TRON_NODES: value }), /TRON_NODES must be URLs: /, value)
    assert.throws(() => readConfig({ TRON_NODES: `https://m,${value}` }), /TRON_NODES must be/, value)
  }
})

test('the master key may be hex or base64', () => {
  const bytes = Buffer.alloc(32, 7)
  for (const text of [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')]) {
    assert.deepEqual(readConfig({ MASTER_KEY: text }).masterKey, bytes)
  }
})

test('everything that is wrong or missing is named at once, and a secret is never quoted', () => {
  const problems = problemsOf(
    {
      MASTER_KEY: 'hunter2',
      PORT: 'http',
      TRON_NODES: 'api.trongrid.io',
      TRUST_PROXY: 'true',
      ORDER_WINDOW: '5',
    },
    'courier',
  )
  for (const name of ['DATABASE_URL', 'MASTER_KEY', 'PORT', 'TRON_NODES', 'TRUST_PROXY', 'ORDER_WINDOW']) {
    assert.equal(problems.filter(problem => problem.startsWith(name)).length, 1, name)
  }
  assert(!problems.join().includes('hunter2'))
})

for (const [name, value, said] of [
  ['TRUST_PROXY', '1', /CIDR/],
  ['TRUST_PROXY', '10.0.0.0/33', /CIDR/],
  ['TRUST_PROXY', '0.0.0.0/0', /every client/],
  ['TRUST_PROXY', '10.0.0.0/8,::/0', /every client/],
  ['CALLBACK_ALLOWED_NETWORKS', 'localhost', /CIDR/],
  ['PORT', '70000', /0 to 65535/],
  ['START_BLOCK', '0', /above 0/],
  ['TRON_NETWORK', 'main', /mainnet, nile/],
  ['XPUB', 'xprv123', /xpub/],
  ['ORDER_WINDOW', '91d', /90 days/],
  ['LOG_LEVEL', 'loud', /fatal/],
  ['REDIS_URL', 'localhost:6379', /redis:/],
] as const) {
  test(`${name}=${value} is refused`, () => {
    const problems = problemsOf({ [name]: value })
    assert.equal(problems.length, 1)
    assert.match(problems[0]!, said)
  })
}

test('on mainnet PUBLIC_URL is https and the contract is fixed', () => {
  const problems = problemsOf({
    TRON_NETWORK: 'mainnet',
    PUBLIC_URL: 'http://pay.example',
    USDT_CONTRACT: 'TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf',
  })
  assert.equal(problems.length, 2)
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { after, test } from 'node:test'
import { readConfig } from '../src/base/config.ts'
import { UsageError } from '../src/base/errors.ts'
import { type SettingName, settings } from '../src/base/settings.ts'
import { freePort } from '../src/demo/embedded-database.ts'
import { networks } from '../src/tron/network.ts'
import { createTronNode } from '../src/tron/node/node-client.ts'
import { testXpub } from './support/api-under-test.ts'
import { cloneDatabase } from './support/database.ts'
import { startProcess } from './support/gateway-process.ts'
import { gatewayProgram } from './support/gateway-program.ts'
import { noRedis, startRedis } from './support/redis.ts'
import { waitUntil } from './support/wait-until.ts'

// A canary is put wherever a secret may stand, in every wrong way. It must be in nothing that the gateway prints.
const canary = 'c4naryPassw0rdThatNobodyMaySee'
const hexKey = 'c4a7'.repeat(16)
const xprv =
  'xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi'
const secretValues = [canary, hexKey, xprv, Buffer.alloc(32, 0xc4).toString('base64'), `whsec_${canary}`]

/** Fails when a text holds a secret, or twelve characters of one. */
function assertHidden(text: string, what: string): void {
  for (const secret of secretValues) {
    for (let i = 0; i + 12 <= secret.length; i++) {
      assert.ok(!text.includes(secret.slice(i, i + 12)), `${what} shows ${secret.slice(i, i + 12)}:\n${text}`)
    }
  }
}

/** The ways in which a secret ends up where it should not, or not as it should. */
const ways: Record<string, (secret: string) => string> = {
  whole: secret => secret,
  'with blanks': secret => `  ${secret} `,
  'cut off': secret => secret.slice(0, -3),
  'with a line break': secret => `${secret.slice(0, 20)}\n${secret.slice(20)}`,
  'with quotes': secret => `'"${secret}"`,
  'with another prefix': secret => `postgre://user:${secret}@db/gateway`,
  'as a password': secret => `postgres://user:${secret}@db:port/gateway`,
  'as the password of Redis': secret => `redis://:${secret}/x@cache:6379`,
  'as a path': secret => `https://node.example:99999/${secret}`,
  'as the host': secret => `http//${secret}`,
  'in a list': secret => `10.0.0.0/8,${secret}`,
}

for (const name of Object.keys(settings) as SettingName[]) {
  test(`${name} is not quoted when it holds a secret, whatever is wrong with it`, () => {
    for (const secret of secretValues) {
      for (const [way, wrong] of Object.entries(ways)) {
        try {
          readConfig({ [name]: wrong(secret) })
        } catch (error) {
          assert(error instanceof UsageError, `${name} ${way}: ${error}`)
          assertHidden(error.problems.join('\n'), `${name}, ${way}`)
        }
      }
    }
  })
}

test('blanks, line breaks and quotes that came along with a key are removed', () => {
  const key = Buffer.from(hexKey, 'hex')
  for (const pasted of [` ${hexKey}\n`, `"${hexKey}"`, `${hexKey.slice(0, 40)}\r\n ${hexKey.slice(40)}`]) {
    assert.deepEqual(readConfig({ MASTER_KEY: pasted }).masterKey, key)
  }
  const config = readConfig({ XPUB: `'${testXpub}'\u200b\n`, TRONGRID_API_KEY: '\tabcd-efgh-ijkl ' })
  assert.equal(config.xpub, testXpub)
  assert.equal(config.trongridApiKey, 'abcd-efgh-ijkl')
})

test('what can be no secret is still quoted', () => {
  for (const [name, value] of [
    ['PORT', 'eighty'],
    ['TRUST_PROXY', '2001:db8:1:2:3:4:5:6/129'],
    ['TRON_NETWORK', 'moon'],
  ] as const) {
    assert.throws(() => readConfig({ [name]: value }), new RegExp(`got "${value.replaceAll('.', '[.]')}"`))
  }
})

/** Runs the gateway to its end. @returns all it printed. */
async function run(args: readonly string[], env: Record<string, string>) {
  const [node, ...program] = gatewayProgram
  const child = spawn(node, [...program, ...args], { env: { PATH: process.env.PATH, ...env } })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (printed += chunk))
  const status = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { status, printed }
}

test('no command shows a secret given in place of an argument, nor the settings in its help', async () => {
  const secretEnv = Object.fromEntries(Object.keys(settings).map(name => [name, hexKey]))
  const { url } = await cloneDatabase()
  const env = { DATABASE_URL: url, MASTER_KEY: '22'.repeat(32) }
  const asked: [string[], Record<string, string>, number][] = [
    [['start'], secretEnv, 2],
    [['start', '--help'], secretEnv, 0],
    [['merchant', 'add', '--help'], secretEnv, 0],
    [['start', hexKey], env, 2],
    [[xprv], env, 2],
    [['migrate', `--key=${canary}${canary}`], env, 2],
    [['merchant', 'add', '--name', 'shop', '--xpub', xprv], env, 2],
    [['merchant', 'add', '--name', 'shop', '--xpub', `${xprv.slice(0, 40)}\n${xprv.slice(40)}`], env, 2],
    [['merchant', 'add', '--name', 'shop', '--sign-type', hexKey], env, 2],
    [['merchant', 'disable', hexKey], env, 2],
    [['merchant', 'key', 'retire', 'shop', hexKey], env, 2],
    [['audit', '--due-minutes', hexKey], { ...env, LOG_LEVEL: 'debug' }, 2],
    [['reconcile', '--since', xprv], env, 2],
  ]
  for (const [args, given, status] of asked) {
    const ended = await run(args, given)
    assert.equal(ended.status, status, ended.printed)
    assertHidden(ended.printed, args.join(' '))
  }
})

async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A Postgres that asks for the password in clear and refuses, repeating it as no real one does. */
function refusingPostgres(): Promise<number> {
  const message = (type: string, body: Buffer) => {
    const head = Buffer.alloc(5)
    head.write(type)
    head.writeInt32BE(body.length + 4, 1)
    return Buffer.concat([head, body])
  }
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(message('R', Buffer.from([0, 0, 0, 3])))
      socket.once('data', sent => {
        const facts = `SFATAL\0C28P01\0Mpassword authentication failed for user "gateway"\0D${sent.subarray(5)}\0\0`
        socket.end(message('E', Buffer.from(facts)))
      })
    })
  })
  return listen(server)
}

test('a wrong password of Postgres is shown by no command and no process', async () => {
  const databaseUrl = `postgres://gateway:${canary}@127.0.0.1:${await refusingPostgres()}/gateway`
  const env = { DATABASE_URL: databaseUrl, MASTER_KEY: hexKey }
  for (const LOG_LEVEL of ['info', 'debug']) {
    const ended = await run(['merchant', 'list'], { ...env, LOG_LEVEL })
    assert.equal(ended.status, 1)
    assert.match(ended.printed, /[Aa]uthentication failed/)
    assertHidden(ended.printed, 'merchant list')
  }
  const courier = startProcess(['start', 'courier'], { ...env, LOG_LEVEL: 'trace' })
  await waitUntil('the refusal', () => /[Aa]uthentication failed/.test(courier.output()))
  await courier.stop()
  assertHidden(courier.output(), 'the courier')
})

test('a wrong password of Redis is in no line of any level', { skip: noRedis }, async () => {
  const { url } = await cloneDatabase()
  const redis = await startRedis()
  const env = {
    DATABASE_URL: url,
    MASTER_KEY: hexKey,
    PUBLIC_URL: 'http://localhost',
    PORT: '0',
    LOG_LEVEL: 'trace',
    REDIS_URL: redis.url.replace('redis://', `redis://somebody:${canary}@`),
  }
  const gateway = startProcess(['start', 'api', 'courier'], env)
  await gateway.started
  await waitUntil('WRONGPASS', () => gateway.output().includes('WRONGPASS'))
  await waitUntil('queue.error', () => gateway.output().includes('queue.error'))
  assert.equal(await gateway.stop(), 0)
  assertHidden(gateway.output(), 'the gateway')
})

/** A node whose error pages repeat all that they know of the request. */
async function tellingNode(status: () => number): Promise<string> {
  const server = createHttpServer((request, response) => {
    response.writeHead(status(), { 'x-echo': request.url! })
    response.end(
      `${'.'.repeat(150)} ${request.url} key ${canary} ${JSON.stringify(request.headers)} ${hexKey}`,
    )
  })
  return `http://127.0.0.1:${await listen(server)}`
}

test('the keys in the URLs of nodes are in no line, no metric and no probe, also when the nodes repeat them', async () => {
  const { url, pool } = await cloneDatabase()
  let status = 401
  const base = await tellingNode(() => status)
  const healthPort = await freePort()
  const gateway = startProcess(['start', 'watcher'], {
    DATABASE_URL: url,
    TRON_NETWORK: 'nile',
    TRON_NODES: `${base}/v1/${hexKey}?token=${canary},${base}/${canary}|${base}/${hexKey}|${base}/${canary}`,
    RECONCILE_URL: `${base}/${canary}`,
    TRONGRID_API_KEY: canary,
    LOG_LEVEL: 'trace',
    HEALTH_PORT: `${healthPort}`,
  })
  await gateway.started
  await waitUntil('chain.unreachable', () => gateway.output().includes('chain.unreachable'))
  status = 200
  await waitUntil('no JSON', () => gateway.output().includes('no JSON'))
  status = 500
  await waitUntil('HTTP 500', () => gateway.output().includes('HTTP 500'))
  const probes = await Promise.all(
    ['/metrics', '/readyz'].map(async path => (await fetch(`http://127.0.0.1:${healthPort}${path}`)).text()),
  )
  const ended = await run(['rescan', '--from', '1', '--to', '2'], {
    DATABASE_URL: url,
    TRON_NODES: `${base}/${canary}`,
    LOG_LEVEL: 'debug',
  })
  await gateway.stop()
  assertHidden(gateway.output(), 'the watcher')
  for (const text of probes) assertHidden(text, 'a probe')
  assertHidden(ended.printed, 'rescan')
  // Two nodes at one address are told apart.
  assert.match(probes[0]!, new RegExp(`node="${base.slice(7)}"`))
  assert.match(probes[0]!, new RegExp(`node="${base.slice(7)}#2"`))
  const { rows } = await pool.query('select detail::text from audit_event')
  assertHidden(JSON.stringify(rows), 'the audit')
})

test('a key that a node repeats in JSON is replaced before anything quotes a part of it', async () => {
  const server = createHttpServer((_, response) => {
    response.end(JSON.stringify({ blockID: `${'x'.repeat(95)}${hexKey}`, block_header: canary }))
  })
  const base = `http://127.0.0.1:${await listen(server)}`
  const node = createTronNode({
    headUrl: `${base}/${hexKey}`,
    solidUrl: `${base}/${encodeURIComponent(canary)}`,
    usdtContract: networks.mainnet.usdtContract!,
  })
  await assert.rejects(node.solidBlock(1), (error: Error) => {
    for (let one: unknown = error; one instanceof Error; one = one.cause)
      assertHidden(`${one.stack}`, 'the error')
    return true
  })
  await node.close()
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseEnv } from 'node:util'
import { demoKeys } from '../../src/demo/demo-keys.ts'
import { freePort } from '../../src/demo/embedded-database.ts'
import { gatewayProgram } from '../support/gateway-program.ts'
import { startMerchantEndpoint } from '../support/merchant-endpoint.ts'
import { formBody, signed } from '../support/signed-request.ts'
import { waitUntil } from '../support/wait-until.ts'

const startMs = 300_000

test('the demo keeps its keys by --seed, shows what a developer’s endpoint answers, and leaves nothing after Ctrl-C', async () => {
  const endpoint = await startMerchantEndpoint({ status: 500, body: 'no such user\n' })
  const port = await twoPorts()
  const demo = runDemo('--port', `${port}`, '--seed', 'shop', '--callback-url', endpoint.url)
  await waitUntil('the demo runs', () => demo.says('Ctrl-C stops all of this'), startMs)
  const file = join(demo.cwd, 'demo.env')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const { GATEWAY_URL, CHAIN_URL, APPID, MERCHANT_KEY, WEBHOOK_SECRET } = parseEnv(readFileSync(file, 'utf8'))
  assert.equal(GATEWAY_URL, `http://127.0.0.1:${port}`)
  assert.equal(CHAIN_URL, `http://127.0.0.1:${port + 1}`)
  const merchant = { appid: APPID!, key: MERCHANT_KEY! }
  const caller = { ...merchant, scheme: 'hmac-sha256' } as const
  assert.deepEqual({ ...merchant, webhookSecret: WEBHOOK_SECRET }, demoKeys('shop').merchant)

  const order = { username: 'a', localusermark: '1', orderid: 'sh-1', amount: '3', address: 'auto' }
  const created = await fetch(`${GATEWAY_URL}/api/merchant/TraderRechargeorder`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: formBody(signed(caller, 'TraderRechargeorder', order)),
  })
  const { data } = (await created.json()) as { data: { address: string } }
  await fetch(`${CHAIN_URL}/sandbox/send`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ to: data.address, amount: '3' }),
  })
  const refused =
    /callback +sh-1 amount 30000 key cb_\S+ NOT ACKNOWLEDGED \(refused\) by (\S+): 500 "no such user\\n"; next attempt in \d+ s/
  await waitUntil('the refusal is shown', () => refused.test(demo.output()))
  assert.equal(refused.exec(demo.output())![1], endpoint.url)
  endpoint.answer = { status: 200, body: 'thanks' }
  await waitUntil('the acknowledgement is shown', () => demo.says('acknowledged by http'))
  assert(demo.says('200 "thanks"'))

  const before = demo.output()
  assert.doesNotMatch(before, /Warning/)
  demo.toGroup('SIGINT')
  demo.toGroup('SIGINT') // npm passes on what the terminal has sent already.
  assert.deepEqual(await demo.ended, { code: 0, signal: null })
  assert.equal(demo.output().slice(before.length), 'The demo has stopped, and its database is deleted.\n')
  demo.hasLeftNothing()
})

test('the demo that is interrupted while it starts leaves nothing either, and says one line', async () => {
  const demo = runDemo('--once')
  await waitUntil('it has begun', () => readdirSync(demo.tmp).length > 0, startMs)
  demo.toGroup('SIGTERM')
  assert.deepEqual(await demo.ended, { code: 130, signal: null })
  assert.equal(demo.output(), 'The demo has stopped, and its database is deleted.\n')
  demo.hasLeftNothing()
})

test('the database of a demo that is killed stops and is deleted', async () => {
  const demo = runDemo()
  await waitUntil('its database runs', () => demo.says('an embedded Postgres'), startMs)
  demo.toGroup('SIGKILL')
  await demo.ended
  await waitUntil('nothing is left', () => readdirSync(demo.tmp).length === 0)
})

test('a port that is taken is named in one line, and nothing is left', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  after(() => taken.close())
  await waitUntil('it listens', () => taken.listening)
  const { port } = taken.address() as { port: number }
  const demo = runDemo('--port', `${port}`)
  assert.deepEqual(await demo.ended, { code: 2, signal: null })
  // The chain, on the next port, starts first.
  assert.match(
    demo.output().split('\n').at(-2)!,
    new RegExp(`^error: --port ${port}: port (${port}|${port + 1}) is taken$`),
  )
  demo.hasLeftNothing()
})

/** Finds a free port whose next one is free too. */
async function twoPorts(): Promise<number> {
  return waitUntil('two free ports', async () => {
    const port = await freePort()
    const next = createServer().listen(port + 1, '127.0.0.1')
    const free = await new Promise<boolean>(resolve =>
      next.once('listening', () => resolve(true)).once('error', () => resolve(false)),
    )
    if (free) await new Promise(resolve => next.close(resolve))
    return free ? port : null
  })
}

/** Runs the command in folders of its own, as the first process of a group: a terminal sends its signals to a group. */
function runDemo(...flags: string[]) {
  const [tmp, cwd] = [folder(), folder()]
  const [node, ...program] = gatewayProgram
  const child = spawn(node, [...program, 'demo', ...flags], {
    cwd,
    env: { PATH: process.env.PATH, TMPDIR: tmp, TSX_DISABLE_CACHE: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (text += chunk))
  const ended = new Promise<{ code: number | null; signal: string | null }>(resolve =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  )
  after(() => child.kill('SIGKILL'))
  return {
    tmp,
    cwd,
    ended,
    output: () => text,
    says: (part: string) => {
      assert.equal(child.exitCode, null, text)
      return text.includes(part)
    },
    toGroup: (signal: NodeJS.Signals) => process.kill(-child.pid!, signal),
    hasLeftNothing: () => assert.deepEqual([readdirSync(tmp), readdirSync(cwd)], [[], []]),
  }
}

/** A folder in which every user may make files, as in the system's own. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'demo-test-'))
  chmodSync(path, 0o1777)
  after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sendMany } from './send-many.ts'

// Certificates made for this test, under an authority that only the sending process trusts.
const skip = spawnSync('openssl', ['version']).status !== 0 && 'openssl is not on the PATH'

test('a callback is sent only to a certificate that is trusted, valid now and for the name', {
  skip,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-'))
  after(() => rm(folder, { recursive: true, force: true }))
  const authority = makeAuthority(folder, 'authority')
  makeAuthority(folder, 'stranger')
  const cases: [certificate: string, host: string, ends: string][] = [
    [await certify(folder, 'sound', { names: 'DNS:shop.example' }), 'shop.example', 'acknowledged'],
    [await certify(folder, 'wild', { names: 'DNS:*.shop.example' }), 'pay.shop.example', 'acknowledged'],
    [await certify(folder, 'other', { names: 'DNS:other.example' }), 'shop.example', 'tls'],
    [await certify(folder, 'deeper', { names: 'DNS:*.shop.example' }), 'a.b.shop.example', 'tls'],
    [await certify(folder, 'nameless', { names: 'DNS:shop.example' }), '127.0.0.1', 'tls'],
    [await certify(folder, 'address', { names: 'IP:127.0.0.1' }), '127.0.0.1', 'acknowledged'],
    [await certify(folder, 'expired', { names: 'DNS:shop.example', days: -1 }), 'shop.example', 'tls'],
    [await certify(folder, 'unknown', { names: 'DNS:shop.example', by: 'stranger' }), 'shop.example', 'tls'],
    ['stranger', 'shop.example', 'tls'],
  ]
  const targets: { url: string; deadlineMs: number }[] = []
  let requests = 0
  for (const [certificate, host] of cases) {
    const [key, cert] = await Promise.all(
      ['key', 'pem'].map(end => readFile(join(folder, `${certificate}.${end}`))),
    )
    const server = createServer({ key, cert }, (_, response) => {
      requests++
      response.end('ok')
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    after(() => server.close())
    const url = `https://${host}:${(server.address() as { port: number }).port}/`
    targets.push({ url, deadlineMs: 60_000 })
  }
  // NODE_TLS_REJECT_UNAUTHORIZED has no effect on callbacks.
  const env = { NODE_EXTRA_CA_CERTS: authority, NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' }
  const { outcomes } = await sendMany(targets, { env })
  assert.deepEqual(
    outcomes.map(outcome => (outcome.kind === 'failed' ? outcome.failure : outcome.kind)),
    cases.map(([, , ends]) => ends),
  )
  assert.equal(requests, cases.filter(([, , ends]) => ends === 'acknowledged').length)
})

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes a self-signed certificate that can sign others. @returns its file. */
function makeAuthority(folder: string, name: string): string {
  const [key, pem] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)]
  openssl('req', '-x509', ...newKey, '-keyout', key, '-out', pem, '-subj', `/CN=${name}`, '-days', '2')
  return pem
}

async function certify(
  folder: string,
  name: string,
  { names, days = 2, by = 'authority' }: { names: string; days?: number; by?: string },
): Promise<string> {
  const file = (end: string) => join(folder, `${name}.${end}`)
  await writeFile(file('ext'), `subjectAltName=${names}`)
  openssl('req', ...newKey, '-keyout', file('key'), '-out', file('csr'), '-subj', `/CN=${name}`)
  const authority = ['-CA', join(folder, `${by}.pem`), '-CAkey', join(folder, `${by}.key`), '-CAcreateserial']
  const about = ['-extfile', file('ext'), '-days', `${days}`]
  openssl('x509', '-req', '-in', file('csr'), ...authority, ...about, '-out', file('pem'))
  return name
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}

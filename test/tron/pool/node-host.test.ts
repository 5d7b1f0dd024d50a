import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostOf } from '../../../src/tron/pool/node-host.ts'
import { poolOf } from './pool-under-test.ts'

const hosts: [url: string, host: string, withPort: string][] = [
  ['https://api.trongrid.io', 'trongrid.io', 'trongrid.io'],
  ['https://API.TronGrid.io/a-key', 'trongrid.io', 'trongrid.io'],
  ['https://nile.trongrid.io:8443', 'trongrid.io', 'trongrid.io'],
  ['https://trongrid.io', 'trongrid.io', 'trongrid.io'],
  ['grpc://grpc.trongrid.io:50051', 'trongrid.io', 'trongrid.io'],
  ['grpc://GRPC.TRONGRID.IO:50051', 'trongrid.io', 'trongrid.io'],
  ['https://eviltrongrid.io', 'eviltrongrid.io', 'eviltrongrid.io'],
  ['https://trongrid.io.example.com', 'trongrid.io.example.com', 'trongrid.io.example.com'],
  ['https://api.trongrid.io@example.com', 'example.com', 'example.com'],
  ['http://node.example:8090', 'node.example', 'node.example:8090'],
  ['http://NODE.example:8091/wallet', 'node.example', 'node.example:8091'],
  ['grpc://Node.Example:50051', 'node.example', 'node.example:50051'],
  ['grpcs://node.example:50052', 'node.example', 'node.example:50052'],
  ['http://a.node.example', 'a.node.example', 'a.node.example'],
  ['http://127.0.0.1:8090', '127.0.0.1', '127.0.0.1:8090'],
  ['http://[::1]:8090', '[::1]', '[::1]:8090'],
]
for (const [url, host, withPort] of hosts) {
  test(`${url} is at ${host}, and where ports are hosts at ${withPort}`, () => {
    assert.equal(hostOf(url, false), host)
    assert.equal(hostOf(url, true), withPort)
  })
}

test('a pool names each host once, and the host of each node, two nodes at one address included', () => {
  const nodes = [
    'https://api.trongrid.io',
    'grpc://grpc.trongrid.io:50051',
    'http://h:1/x',
    'http://h:1/y',
    'grpc://H:2',
  ].map(url => ({ headUrl: url, solidUrl: url }))
  const apart = poolOf([], { nodes, portsAreHosts: true }).pool
  assert.deepEqual(apart.hosts, ['trongrid.io', 'h:1', 'h:2'])
  const { names, hosts, hostOf: of } = poolOf([], { nodes, portsAreHosts: false }).pool
  assert.deepEqual(hosts, ['trongrid.io', 'h'])
  assert.deepEqual(
    names.map(name => of(name)),
    ['trongrid.io', 'trongrid.io', 'h', 'h', 'h'],
  )
})

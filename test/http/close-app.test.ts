import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import Fastify from 'fastify'
import { closeApp } from '../../src/http/close-app.ts'
import { waitUntil } from '../support/wait-until.ts'

test('who takes a file slowly keeps no process from stopping', async () => {
  const app = Fastify()
  const file = new Readable({ read: () => undefined })
  app.get('/file', (_, reply) => reply.type('text/csv').send(file))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  client.write('GET /file HTTP/1.1\r\nhost: x\r\n\r\n')
  file.push('first line\r\n')
  await once(client, 'data')
  const cut = once(client, 'close')
  await closeApp(app, 100)
  await cut
  await waitUntil('the file is not read any more', () => file.destroyed)
})

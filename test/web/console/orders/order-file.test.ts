import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { openConsoleUnderTest } from '../../../support/console-under-test.ts'
import { seedAddress, seedOrders } from '../../../support/seed.ts'
import { seedMerchant } from '../../../support/seed-merchant.ts'
import { waitUntil } from '../../../support/wait-until.ts'

const { pool, app, signedIn, addPerson, ...center } = await openConsoleUnderTest()
const shop = await seedMerchant(pool)
const { addressId } = await seedAddress(pool, { merchantId: shop.id })
await app.listen({ host: '127.0.0.1', port: 0 })
const { port } = app.server.address() as { port: number }

test('who hangs up while taking a file gives back the place for another, and holds no connection meanwhile', async () => {
  const person = await addPerson('files@example.com', { roles: [[shop, 'support']] })
  const visit = await signedIn(person)
  const cookie = [...visit.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  // More than what stands between a program and one that does not read.
  for (let n = 0; n < 10; n++)
    await seedOrders(
      pool,
      Array.from({ length: 5_000 }, (_, i) => ({ addressId, orderid: `${n}-${i}-${'x'.repeat(30)}` })),
    )
  const begin = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /console/orders.csv HTTP/1.1\r\nhost: pay.example\r\ncookie: ${cookie}\r\n\r\n`)
    const start = await new Promise<string>(resolve => socket.once('data', bytes => resolve(`${bytes}`)))
    assert.match(start, /^HTTP\/1\.1 200/)
    return socket.pause()
  }
  const sockets = [await begin(), await begin()]
  assert.equal((await visit.get('/console/orders.csv')).status, 429)
  // The slow readers are in nobody's way: each page is a statement of its own.
  await waitUntil('all connections to be idle', () => center.reads.idleCount === center.reads.totalCount)
  assert.equal((await visit.get('/console/orders')).status, 200)
  for (const socket of sockets) socket.destroy()
  const { text } = await waitUntil('a place', async () => {
    const answer = await visit.get('/console/orders.csv?order=none')
    return answer.status === 200 ? answer : null
  })
  assert.equal(text.trim().split('\r\n').length, 1)
})

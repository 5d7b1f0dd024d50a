import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type AnswerBudget, createAnswerBudget } from '../../../src/tron/node/answer-budget.ts'
import { createNodeHttp } from '../../../src/tron/node/node-http.ts'

const mebibyte = 1024 * 1024
const totalBytes = 32 * mebibyte
const ownBytes = mebibyte

/** A budget whose shares tell the most they have held together. */
function measured(): { budget: AnswerBudget; most(): number; now(): number } {
  const inner = createAnswerBudget({ totalBytes, ownBytes })
  let now = 0
  let most = 0
  const share = () => {
    const own = inner.share()
    return {
      take(bytes: number) {
        const taken = own.take(bytes)
        if (taken) now += bytes
        most = Math.max(most, now)
        return taken
      },
      give(bytes: number) {
        now -= bytes
        own.give(bytes)
      },
    }
  }
  return { budget: { share }, most: () => most, now: () => now }
}

async function serve(answer: (response: ServerResponse) => void) {
  const server = createServer((_, response) => answer(response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function open(url: string, budget: AnswerBudget) {
  const http = createNodeHttp({ baseUrls: [url], deadlineMs: 20_000, share: budget.share() })
  after(() => http.close())
  return () => http.get(new URL(url))
}

/** Streams until the client has enough, as a node that has gone mad would. */
function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, ' ')
  const source = new Readable({ read: () => void source.push(chunk) })
  pipeline(source, response, () => undefined) // The client closes it.
}

test('nodes that stream without end hold a bounded memory together, and another node is still read', async () => {
  const { budget, most, now } = measured()
  const streaming = [open(await serve(endless), budget), open(await serve(endless), budget)]
  const honest = open(await serve(response => response.end(`{"is": "${'x'.repeat(mebibyte / 2)}"}`)), budget)
  const streams = streaming.flatMap(ask =>
    Array.from({ length: 16 }, () => assert.rejects(ask(), /too much memory/)),
  )
  const asked = Promise.all(Array.from({ length: 20 }, () => honest()))
  assert.equal((await asked).length, 20)
  await Promise.all(streams)
  assert.ok(most() <= totalBytes + 3 * ownBytes, `${most()} bytes`)
  assert.equal(now(), 0, 'all of it is given back')
})

test('what an answer becomes when it is decompressed counts too, also when it lies about it', async () => {
  const { budget, most, now } = measured()
  const bomb = gzipSync(Buffer.alloc(60 * mebibyte, ' '))
  const lying = Buffer.from(bomb)
  lying.writeUInt32LE(10, lying.length - 4)
  for (const body of [bomb, lying]) {
    const ask = open(
      await serve(response => response.writeHead(200, { 'content-encoding': 'gzip' }).end(body)),
      budget,
    )
    await assert.rejects(ask(), /too much memory/)
  }
  assert.ok(most() < totalBytes)
  assert.equal(now(), 0)
})

test('gzip of one part, of several, and of nothing is read as before', async () => {
  const { budget, now } = measured()
  const parts = Buffer.concat([gzipSync('{"a": '), gzipSync('"b"}')])
  for (const [body, answer] of [
    [gzipSync('{"a": "b"}'), { a: 'b' }],
    [parts, { a: 'b' }],
  ] as const) {
    const http = createNodeHttp({
      baseUrls: [],
      deadlineMs: 5_000,
      bodyMaxBytes: 1_000,
      share: budget.share(),
    })
    const url = await serve(response => response.writeHead(200, { 'content-encoding': 'gzip' }).end(body))
    assert.deepEqual(await http.get(new URL(url)), answer)
    await http.close()
  }
  for (const body of [gzipSync(''), Buffer.from('no gzip'), Buffer.alloc(0)]) {
    const ask = open(
      await serve(response => response.writeHead(200, { 'content-encoding': 'gzip' }).end(body)),
      budget,
    )
    await assert.rejects(ask())
  }
  assert.equal(now(), 0)
})

test('one node alone may take half of the total, a second one half of the rest', () => {
  const budget = createAnswerBudget({ totalBytes: 100, ownBytes: 5 })
  const [first, second, third] = [budget.share(), budget.share(), budget.share()]
  const most = (share: typeof first) => {
    let bytes = 0
    while (share!.take(1)) bytes++
    return bytes
  }
  assert.deepEqual([most(first), most(second), most(third)], [50, 25, 12])
  assert.equal(most(budget.share()), 6)
  assert.equal(most(budget.share()), 5)
  assert.equal(most(budget.share()), 5)
  first!.give(50)
  assert.ok(second!.take(10))
})

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import Fastify from 'fastify'
import { systemClock } from '../../src/base/clock.ts'
import { createLog } from '../../src/base/log.ts'
import { answerErrors } from '../../src/http/answer-errors.ts'
import { deadline } from '../../src/http/deadline.ts'
import { openRefusalLog } from '../../src/http/refusal-log.ts'
import { requestContext } from '../../src/http/request-context.ts'
import { readAnswer } from '../support/api-under-test.ts'

test('a request that is not answered in time is unavailable, and its late answer has no effect', async () => {
  const app = Fastify()
  app.register(requestContext)
  app.register(deadline, { afterMs: 300 })
  app.register(answerErrors, { refusals: openRefusalLog(createLog('silent', 'test'), systemClock) })
  const late: (() => void)[] = []
  app.get('/never', () => new Promise(() => undefined))
  app.get('/late', () => new Promise(resolve => late.push(() => resolve({ too: 'late' }))))
  app.get('/fails-late', () => new Promise((_, reject) => late.push(() => reject(new Error('too late')))))
  app.get('/soon', async () => ({ in: 'time' }))
  // The deadline's timer does not keep the process alive. A socket would; inject has none.
  const socket = setInterval(() => undefined, 1_000)
  let answered = 0
  const slow = ['/never', '/late', '/fails-late'].map(async url => {
    const response = await app.inject(url)
    answered++
    return response
  })
  assert.deepEqual((await app.inject('/soon')).json(), { in: 'time' })
  assert.equal(answered, 0, 'none is failed before its deadline')
  for (const response of await Promise.all(slow)) {
    const answer = readAnswer(response)
    assert.deepEqual([answer.httpStatus, answer.code, answer.status], [503, 'unavailable', 0])
    assert.equal(answer.headers['retry-after'], '1')
  }
  for (const end of late) end()
  assert.deepEqual((await app.inject('/soon')).json(), { in: 'time' })
  await app.close()
  clearInterval(socket)
})

test('an answer that has begun goes on after the deadline', async () => {
  const app = Fastify()
  app.register(deadline, { afterMs: 100 })
  app.get('/long', (_, reply) => {
    async function* lines() {
      for (let n = 0; n < 6; n++) {
        yield `${n}\n`
        await new Promise(resolve => setTimeout(resolve, 150))
      }
    }
    return reply.send(Readable.from(lines()))
  })
  const { statusCode, body } = await app.inject('/long')
  assert.deepEqual([statusCode, body], [200, '0\n1\n2\n3\n4\n5\n'])
  await app.close()
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { createLog } from '../../src/base/log.ts'
import { answerErrors } from '../../src/http/answer-errors.ts'
import { answerInTime } from '../../src/http/deadline.ts'
import { readAnswer } from '../support/api-under-test.ts'

test('what is not answered in time is unavailable, and its late answer disturbs nobody', async () => {
  const app = Fastify()
  answerInTime(app, 300)
  answerErrors(app, createLog('silent', 'test'))
  const late: (() => void)[] = []
  app.get('/never', () => new Promise(() => undefined))
  app.get('/late', () => new Promise(resolve => late.push(() => resolve({ too: 'late' }))))
  app.get('/fails-late', () => new Promise((_, reject) => late.push(() => reject(new Error('too late')))))
  app.get('/soon', async () => ({ in: 'time' }))
  // A socket would keep the process going while the deadline runs; inject has none.
  const socket = setInterval(() => undefined, 1_000)
  const startedAt = performance.now()
  const answers = await Promise.all(['/never', '/late', '/fails-late'].map(url => app.inject(url)))
  const ms = performance.now() - startedAt
  assert.ok(ms >= 300 && ms < 1_500, `${ms} ms`)
  for (const response of answers) {
    const answer = readAnswer(response)
    assert.deepEqual([answer.httpStatus, answer.code, answer.status], [503, 'unavailable', 0])
    assert.equal(answer.headers['retry-after'], '1')
  }
  for (const end of late) end()
  assert.deepEqual((await app.inject('/soon')).json(), { in: 'time' })
  await app.close()
  clearInterval(socket)
})

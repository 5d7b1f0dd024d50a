import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listJobs, withJob } from '../../src/db/job-store.ts'
import { cloneDatabase } from '../support/database.ts'

const job = { kind: 'rescan', subject: 'blocks 5 to 14', by: 'test' } as const

test('a job says who began it, how far it is, and how it ended', async () => {
  const { pool } = await cloneDatabase()
  const result = await withJob(pool, job, async report => {
    const [running] = await listJobs(pool, 10)
    assert.equal(`${running!.subject} ${running!.startedBy} ${running!.total}`, 'blocks 5 to 14 test null')
    assert.equal(running!.endedAt, null)
    report(7, 10)
    return 'found'
  })
  assert.equal(result, 'found')
  const failing = withJob(pool, { ...job, kind: 'resend' }, async report => {
    report(1, 3)
    throw new Error('no node answers at https://user:secret@node.example/key')
  })
  await assert.rejects(failing, /no node answers/)
  const [failed, done] = await listJobs(pool, 10)
  assert.equal(`${done!.kind} ${done!.done}/${done!.total} ${done!.problem}`, 'rescan 7/10 null')
  assert.equal(`${failed!.kind} ${failed!.done}/${failed!.total}`, 'resend 1/3')
  assert.equal(failed!.problem, 'no node answers at https://node.example')
  assert(done!.endedAt && failed!.endedAt)
})

test('a job that died is silent after a minute; those that run come first; old ones are deleted', async () => {
  const { pool } = await cloneDatabase()
  await pool.query(
    `insert into job (kind, subject, started_by, started_at, seen_at, ended_at)
     values ('rescan', 'old', 'test', '2020-01-01', '2020-01-02', '2020-01-02'),
            ('rescan', 'dead', 'test', now() - interval '1 hour', now() - interval '61 seconds', null)`,
  )
  await withJob(pool, job, async () => undefined)
  const jobs = await listJobs(pool, 10)
  assert.deepEqual(
    jobs.map(({ subject, isSilent }) => `${subject}: ${isSilent}`),
    ['dead: true', 'blocks 5 to 14: false'],
  )
})

test('work goes on where its row cannot be written', async () => {
  const { pool } = await cloneDatabase()
  await pool.query(`drop view report.jobs; drop table job cascade`)
  const done = await withJob(pool, job, async report => {
    report(1, 2)
    return 'done'
  })
  assert.equal(done, 'done')
})

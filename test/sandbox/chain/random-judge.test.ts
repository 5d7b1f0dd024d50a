import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  aloneUnits,
  isSound,
  type JudgedTransfer,
  judgeRun,
  type RecordedTransfer,
  type RunPolicy,
} from '../../support/random-judge.ts'

// The judge of the random chains: a judge that lets something pass would have every run pass.
const paid: JudgedTransfer = { txid: 'aa', logIndex: 1, to: 'alice', amount: 5_000_000n, height: 7 }
const credited: RecordedTransfer = { ...paid, credits: 1, isWaiting: false }
const forged: RecordedTransfer = { ...credited, txid: 'bb', amount: aloneUnits }
const alone: RunPolicy = { hosts: 1, comparesLogs: false, told: [], isDirect: () => true }
const two: RunPolicy = { ...alone, hosts: 2, comparesLogs: true }
const hidden = { name: 'hidden log', faults: [], heights: { from: 7, to: 8 } } as const

const judged = (recorded: readonly RecordedTransfer[], policy: RunPolicy = two, truth = [paid]) => {
  const found = judgeRun(truth, recorded, policy)
  const counts = Object.entries(found).flatMap(([kind, lines]) => (lines.length > 0 ? [kind] : []))
  return { sound: isSound(found), counts }
}

test('what is true is credited or waits for an order, once', () => {
  assert.deepEqual(judged([credited]), { sound: true, counts: [] })
  assert.deepEqual(judged([{ ...credited, credits: 0, isWaiting: true }]), { sound: true, counts: [] })
  assert.deepEqual(judged([{ ...credited, credits: 2 }]), { sound: false, counts: ['doubled'] })
})

test('what is true and neither is lost, whoever is configured', () => {
  for (const policy of [alone, two]) {
    assert.deepEqual(judged([], policy), { sound: false, counts: ['lost'] })
    assert.deepEqual(judged([{ ...credited, credits: 0 }], policy), { sound: false, counts: ['lost'] })
  }
})

test("what is false is credited by the only host's word up to the amount, and by nobody's with two hosts", () => {
  assert.deepEqual(judged([credited, forged], alone), { sound: true, counts: ['byOneWord'] })
  assert.deepEqual(judged([credited, forged], two), { sound: false, counts: ['falselyCredited'] })
  const larger = { ...forged, amount: aloneUnits + 1n }
  assert.deepEqual(judged([credited, larger], alone), { sound: false, counts: ['falselyCredited'] })
})

test('another amount or recipient in the place of a true transfer is false, and the true one lost, unless one word is enough', () => {
  for (const other of [{ amount: 6_000_000n }, { to: 'bob' }]) {
    const instead = { ...credited, ...other }
    assert.deepEqual(judged([instead], two), { sound: false, counts: ['falselyCredited', 'lost'] })
    assert.deepEqual(judged([instead], alone), { sound: true, counts: ['byOneWord', 'unknowable'] })
  }
  const large = { ...credited, amount: aloneUnits + 1n }
  assert.deepEqual(judged([large], alone), { sound: false, counts: ['falselyCredited', 'lost'] })
})

test("what is hidden inside a contract's call is unknowable only where its log was lied about and nobody else is asked", () => {
  const inner: RunPolicy = { ...alone, isDirect: () => false, told: [hidden] }
  assert.deepEqual(judged([], inner), { sound: true, counts: ['unknowable'] })
  assert.equal(judged([], { ...inner, comparesLogs: true }).sound, false)
  assert.equal(judged([], { ...inner, isDirect: () => true }).sound, false)
  assert.equal(judged([], { ...inner, told: [] }).sound, false)
  assert.equal(judged([], { ...inner, told: [{ ...hidden, heights: { from: 8, to: 9 } }] }).sound, false)
  assert.equal(judged([], { ...inner, told: [{ ...hidden, name: 'header only' }] }).sound, false)
})

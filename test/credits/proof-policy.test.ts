import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usdt } from '../../src/base/money.ts'
import { aloneAmountDefault, judge, oneHost, proofRules } from '../../src/credits/proof-policy.ts'

// [hosts configured, CREDIT_ALONE_AMOUNT or null, signed, hosts that showed it, hosts that deny it, USDT, seconds] -> verdict
type Row = [number, number | null, boolean, number, number, number, number, string]

const table: Row[] = [
  // Signed in a verified block: nobody's word is needed, whatever else is.
  [1, null, true, 1, 0, 1_000_000, 0, 'signed'],
  [2, null, true, 1, 0, 1_000_000, 0, 'signed'],
  [2, 0, true, 1, 1, 1_000_000, 0, 'signed'],
  [1, 0, true, 0, 0, 1, 0, 'signed'],
  // Two hosts, whatever the amount and whoever denies it.
  [2, null, false, 2, 0, 1_000_000, 0, 'agreed'],
  [3, 0, false, 2, 1, 1_000_000, 0, 'agreed'],
  [1, null, false, 2, 0, 1_000_000, 0, 'agreed'],
  // One host is configured: up to the amount, by its word.
  [1, null, false, 1, 0, 100, 0, 'alone'],
  [1, null, false, 1, 0, 100.000001, 0, 'wait'],
  [1, null, false, 1, 0, 101, 1_000_000, 'wait'],
  [1, 500, false, 1, 0, 500, 0, 'alone'],
  [1, 500, false, 1, 0, 500.000001, 0, 'wait'],
  [1, 5, false, 1, 0, 6, 0, 'wait'],
  [1, 0, false, 1, 0, 0.000001, 1_000_000, 'wait'],
  // It leaves out what it showed before.
  [1, null, false, 1, 1, 1, 0, 'wait'],
  // What an old version quarantined names no host: the only one there is.
  [1, null, false, 0, 0, 100, 0, 'alone'],
  // Two hosts or more: never by one host's word...
  [2, null, false, 1, 0, 0.000001, 0, 'wait'],
  [2, null, false, 1, 0, 0.000001, 1_000_000, 'wait'],
  [3, null, false, 1, 0, 1, 1_000_000, 'wait'],
  [2, 0, false, 1, 0, 0.000001, 1_000_000, 'wait'],
  // ... unless an operator says so: after a minute, and while nobody denies it.
  [2, 100, false, 1, 0, 100, 59.999, 'wait'],
  [2, 100, false, 1, 0, 100, 60, 'alone'],
  [2, 100, false, 1, 0, 100.000001, 60, 'wait'],
  [2, 100, false, 1, 1, 1, 600, 'wait'],
  [3, 100, false, 1, 0, 1, 60, 'alone'],
  [2, 100, false, 0, 0, 1, 600, 'wait'],
]

for (const [hosts, alone, signed, shown, denied, amount, ageS, verdict] of table) {
  const given = alone === null ? 'by default' : `with CREDIT_ALONE_AMOUNT=${alone}`
  const proof = signed ? 'signed' : `shown by ${shown}, denied by ${denied}`
  test(`${hosts} hosts ${given}: ${amount} USDT ${proof}, ${ageS} s old: ${verdict}`, () => {
    const units = (of: number) => usdt(BigInt(Math.round(of * 1_000_000)))
    const nodes = { hosts: Array.from({ length: hosts }, (_, n) => `h${n}`), hostOf: (node: string) => node }
    const rules = proofRules(nodes, alone === null ? null : units(alone))
    const evidence = { signed, hosts: shown, denied, amount: units(amount), ageMs: ageS * 1000 }
    assert.equal(judge(rules, evidence), verdict)
  })
}

test('where nothing is said there is one host, and a hundred USDT', () => {
  assert.equal(aloneAmountDefault, 100_000_000n)
  assert.deepEqual(
    { ...oneHost, hostOf: null },
    { hosts: 1, hostOf: null, aloneAmount: aloneAmountDefault, aloneGiven: false },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callbackKey } from '../../../src/callbacks/outbox/callback.ts'
import vectors from '../sending/callback-vectors.json' with { type: 'json' }

test("a callback's key is the published function of its transfer", () => {
  for (const vector of vectors.callback_key) {
    const key = callbackKey(vector.genesis, vector.contract, vector.txid, vector.log_index)
    assert.equal(key, vector.key)
  }
})

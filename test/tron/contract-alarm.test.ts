import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { contractAlarmEvent } from '../../src/tron/contract-alarm.ts'

const topicOf = (signature: string) => Buffer.from(keccak_256(Buffer.from(signature))).toString('hex')
const read = (signature: string) => contractAlarmEvent({ address: '', topics: [topicOf(signature)] })

test('every event that changes what transfers mean is known by the hash of its signature, and no other is', () => {
  const events = [
    'Params(uint256,uint256)',
    'Deprecate(address)',
    'Pause()',
    'Unpause()',
    'AddedBlackList(address)',
    'RemovedBlackList(address)',
    'DestroyedBlackFunds(address,uint256)',
  ]
  for (const signature of events) assert.equal(read(signature), signature.split('(')[0])
  for (const signature of [
    'Transfer(address,address,uint256)',
    'Approval(address,address,uint256)',
    'Issue(uint256)',
  ])
    assert.equal(read(signature), null)
  assert.equal(contractAlarmEvent({ address: '' }), null)
})

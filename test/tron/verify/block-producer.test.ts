import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  isSignedByProducer,
  knownProducers,
  type Producers,
  signerOf,
} from '../../../src/tron/verify/block-producer.ts'
import type { SentHeader } from '../../../src/tron/verify/sent-block.ts'
import { headerOfMessage, producerKey, sign } from './block-messages.ts'
import { headerVectors } from './block-vectors.ts'

const one = producerKey('one')
const two = producerKey('two')
const delegate = producerKey('delegate')
const bytes = Buffer.from('a header')
const header = { producer: one.address, bytes, signature: sign(bytes, one.secret) } as SentHeader
const known = (...signers: string[]) => knownProducers(new Map([[one.address, signers]]))

/** The answer must be the same whether the producer's key is remembered or not. */
function bothWays(sent: SentHeader, producers: Producers = known(one.address)): boolean {
  const first = isSignedByProducer(sent, knownProducers(producers.keys))
  const remembered = knownProducers(producers.keys)
  for (const { address, secret } of [one, two, delegate]) {
    const shown = { producer: sent.producer, bytes, signature: sign(bytes, secret) } as SentHeader
    assert.equal(
      isSignedByProducer(shown, remembered),
      (producers.keys.get(sent.producer) ?? []).includes(address),
    )
  }
  assert.equal(isSignedByProducer(sent, remembered), first)
  return first
}

test('a header is signed by its producer with a key of its own, or with one that may sign for it', () => {
  assert.equal(signerOf(header), one.address)
  assert.equal(bothWays(header), true)
  assert.equal(bothWays(header, known(delegate.address)), false, 'the producer has given its right away')
  const delegated = { ...header, signature: sign(bytes, delegate.secret) }
  assert.equal(bothWays(delegated), false)
  assert.equal(bothWays(delegated, known(delegate.address)), true)
  assert.equal(bothWays(delegated, known(one.address, delegate.address)), true, 'while it changes, both')
  assert.equal(bothWays(header, known(one.address, delegate.address)), true)
  assert.equal(bothWays(header, known()), false)
})

test('a header is not signed by another producer, nor by a stranger', () => {
  const both = knownProducers(
    new Map([
      [one.address, [one.address]],
      [two.address, [two.address]],
    ]),
  )
  assert.equal(isSignedByProducer({ ...header, signature: sign(bytes, two.secret) }, both), false)
  assert.equal(isSignedByProducer({ ...header, producer: two.address }, both), false)
  assert.equal(isSignedByProducer({ ...header, producer: delegate.address }, both), false)
  assert.equal(isSignedByProducer({ ...header, bytes: Buffer.from('A header') }, both), false)
  assert.equal(isSignedByProducer(header, both), true)
})

test('v may be 0, 1, 27 or 28, or wrong, since it is not signed; bytes that follow are ignored, as in java-tron', () => {
  const rs = header.signature.subarray(0, 64)
  const v = header.signature[64]!
  const withV = (byte: number) => ({ ...header, signature: Buffer.concat([rs, Buffer.from([byte])]) })
  for (const byte of [v, v + 27]) assert.equal(signerOf(withV(byte)), one.address)
  for (const byte of [1 - v, 28 - v]) assert.notEqual(signerOf(withV(byte)), one.address)
  for (const byte of [0, 1, 2, 3, 26, 27, 28, 31, 255]) assert.equal(bothWays(withV(byte)), true, `v ${byte}`)
  assert.equal(
    bothWays({ ...header, signature: Buffer.concat([header.signature, Buffer.alloc(3)]) }),
    true,
    '68 bytes',
  )
})

test('what is no signature is refused without an error', () => {
  const order = Buffer.from('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141', 'hex')
  const [r, s] = [header.signature.subarray(0, 32), header.signature.subarray(32, 64)]
  const [zero, v] = [Buffer.alloc(32), Buffer.alloc(1)]
  for (const parts of [
    [],
    [r],
    [r, s],
    [zero, zero, v],
    [zero, s, v],
    [r, zero, v],
    [order, s, v],
    [r, order, v],
  ]) {
    assert.equal(bothWays({ ...header, signature: Buffer.concat(parts) }), false)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), signature => {
      assert.equal(bothWays({ ...header, signature: Buffer.from(signature) }), false)
    }),
    { numRuns: 50 },
  )
})

test('public keys are remembered while they may sign for somebody', () => {
  const before = known(one.address)
  assert.ok(isSignedByProducer(header, before))
  assert.deepEqual([...before.publicKeys.keys()], [one.address])
  assert.deepEqual([...knownProducers(before.keys, before).publicKeys.keys()], [one.address])
  const changed = knownProducers(new Map([[one.address, [delegate.address]]]), before)
  assert.equal(changed.publicKeys.size, 0)
  assert.equal(isSignedByProducer(header, changed), false)
})

test('headers of the main network are signed by the keys that were published for their producers', () => {
  for (const { raw, signature, id, signer } of headerVectors) {
    const sent = headerOfMessage(Buffer.from(raw, 'hex'), Buffer.from(signature, 'hex'))
    assert.equal(sent.id, id)
    assert.equal(signerOf(sent), signer)
    assert.equal(isSignedByProducer(sent, knownProducers(new Map([[sent.producer, [signer]]]))), true)
  }
  assert.ok(
    headerVectors.some(({ raw, signer }) => !raw.includes(signer)),
    'one of them by a delegated key',
  )
})

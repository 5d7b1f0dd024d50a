import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { HDKey } from '@scure/bip32'
import { TronWeb } from 'tronweb'
import { UsageError } from '../../src/base/errors.ts'
import { addressOfPublicKey, deriveAddress, parseAccountKey } from '../../src/tron/account-key.ts'
import { base58check } from '../../src/tron/base58check.ts'
import { addressVectors } from './address-vectors.ts'

const { accounts, accountKeys, changeLevelKeys, publicKeys, privateKeys } = addressVectors
const account = HDKey.fromMasterSeed(Buffer.alloc(32, 7)).derive("m/44'/195'/0'")

test('published account keys give the published addresses', () => {
  for (const { xpub, path, address } of accounts) {
    assert.equal(deriveAddress(parseAccountKey(xpub), Number(path.split('/').at(-1))), address)
  }
  for (const { xpub, relativePath, address } of accountKeys) {
    assert.equal(deriveAddress(parseAccountKey(xpub), Number(relativePath.split('/')[1])), address)
  }
})

test('published public keys, compressed or not, give the published addresses', () => {
  for (const { publicKey, address } of publicKeys) {
    assert.equal(addressOfPublicKey(Buffer.from(publicKey, 'hex')), address)
  }
})

test('addresses are those of the private keys the wallet has at the same places', () => {
  const key = parseAccountKey(account.publicExtendedKey)
  for (const index of [0, 1, 2, 1_000, 2 ** 31 - 1]) {
    const privateKey = Buffer.from(account.derive(`m/0/${index}`).privateKey!).toString('hex')
    assert.equal(deriveAddress(key, index), TronWeb.address.fromPrivateKey(privateKey))
  }
  for (const { privateKey, address } of privateKeys) {
    assert.equal(TronWeb.address.fromPrivateKey(privateKey), address)
  }
})

test('a key is its public key and chain code', () => {
  const key = parseAccountKey(account.publicExtendedKey)
  assert.deepEqual(key.publicKey, Buffer.from(account.publicKey!))
  assert.deepEqual(key.chainCode, Buffer.from(account.chainCode!))
})

test('hardened, negative and fractional indexes are not derivable', () => {
  const key = parseAccountKey(account.publicExtendedKey)
  for (const index of [-1, 0.5, 2 ** 31, Number.NaN]) {
    assert.throws(() => deriveAddress(key, index), /not derivable/)
  }
})

const xpub = account.publicExtendedKey
const refused: [why: string, key: string, sentence: RegExp][] = [
  ['a private key', account.privateExtendedKey, /is a private key/],
  ['a private key with a slip of the pen', `${account.privateExtendedKey.slice(0, -1)}z`, /is a private key/],
  [
    'a private key of a test network',
    withVersion(account.privateExtendedKey, 0x04358394),
    /is a private key/,
  ],
  ['a private key under a public prefix', withVersion(account.privateExtendedKey, 0x0488b21e), /private key/],
  ['a master key', HDKey.fromMasterSeed(Buffer.alloc(32, 7)).publicExtendedKey, /is of depth 0/],
  ['a key of another depth', account.derive('m/0').publicExtendedKey, /is of depth 4/],
  ['a published change-level key', changeLevelKeys[0]!.xpub, /is of depth 4/],
  ['a changed character', `${xpub.slice(0, 50)}${xpub[50] === 'a' ? 'b' : 'a'}${xpub.slice(51)}`, /checksum/],
  ['a foreign character', `${xpub.slice(0, -1)}0`, /checksum/],
  ['nothing', '', /checksum/],
  ['an address', accounts[0]!.address, /another kind/],
  ['a ypub', withVersion(xpub, 0x049d7cb2), /another kind/],
  [
    'no point of the curve',
    withPublicKey(xpub, Buffer.concat([Buffer.of(2), Buffer.alloc(32, 0xff)])),
    /not a point/,
  ],
]
for (const [why, key, sentence] of refused) {
  test(`an account key that is ${why} is refused, and not quoted`, () => {
    assert.throws(
      () => parseAccountKey(key),
      (error: unknown) => {
        assert(error instanceof UsageError)
        assert.match(error.message, sentence)
        return key === '' || !error.message.includes(key.slice(4))
      },
    )
  })
}

test('random text is refused', () => {
  for (let i = 0; i < 200; i++) {
    assert.throws(() => parseAccountKey(base58check.encode(randomBytes(i))), UsageError)
  }
})

function withVersion(extendedKey: string, version: number): string {
  const bytes = Buffer.from(base58check.decode(extendedKey))
  bytes.writeUInt32BE(version, 0)
  return base58check.encode(bytes)
}

function withPublicKey(extendedKey: string, publicKey: Buffer): string {
  const bytes = Buffer.from(base58check.decode(extendedKey))
  publicKey.copy(bytes, 45)
  return base58check.encode(bytes)
}

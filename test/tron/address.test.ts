import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { TronWeb } from 'tronweb'
import { addressFromBytes, addressToBytes, addressToHex, parseTronAddress } from '../../src/tron/address.ts'
import { networks } from '../../src/tron/network.ts'
import { addressVectors } from './address-vectors.ts'

test('published addresses and their bytes are turned into each other', () => {
  const { pairs, accounts, privateKeys, publicKeys } = addressVectors
  const all = [
    ...pairs.map(({ base58, hex }) => ({ address: base58, hex })),
    ...accounts,
    ...privateKeys,
    ...publicKeys,
  ]
  for (const { address, hex } of all) {
    const parsed = parseTronAddress(address)
    assert(parsed, address)
    assert.equal(`41${addressToHex(parsed)}`, hex)
    assert.equal(addressFromBytes(Buffer.from(hex.slice(2), 'hex')), address)
  }
})

for (const { value, why } of addressVectors.invalid) {
  test(`no address: ${JSON.stringify(value)} (${why})`, () => assert.equal(parseTronAddress(value), null))
}

test('an address in hex, empty text, and a right address with something behind it are no addresses', () => {
  const usdt = 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t'
  const others = [
    '',
    'T',
    '41a614f803b6fd780986a42c78ec9c7f77e6ded13c',
    `${usdt} `,
    `${usdt}\n`,
    `${usdt}1`,
    `1${usdt}`,
    'T'.repeat(34),
    'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj６t',
  ]
  for (const text of others) assert.equal(parseTronAddress(text), null, JSON.stringify(text))
})

test('a changed character is noticed, wherever it is', () => {
  const usdt = 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t'
  for (let i = 0; i < usdt.length; i++) {
    for (const other of 'a1Z') {
      if (usdt[i] !== other)
        assert.equal(parseTronAddress(usdt.slice(0, i) + other + usdt.slice(i + 1)), null)
    }
  }
})

test('random addresses are written and read as tronweb does', () => {
  for (let i = 0; i < 2_000; i++) {
    const bytes = randomBytes(20)
    const address = addressFromBytes(bytes)
    assert.equal(address, TronWeb.address.fromHex(`41${bytes.toString('hex')}`))
    assert.equal(TronWeb.address.toHex(address), `41${bytes.toString('hex')}`)
    assert(TronWeb.isAddress(address))
    assert.deepEqual(addressToBytes(parseTronAddress(address)!), bytes)
  }
})

test('the usual token of every network is an address', () => {
  for (const { usdtContract, genesisId } of Object.values(networks)) {
    if (usdtContract !== null) assert(parseTronAddress(usdtContract))
    if (genesisId !== null) assert.match(genesisId, /^0{16}[0-9a-f]{48}$/)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findUsedAddresses, lookedAt } from '../../src/merchants/find-used-addresses.ts'
import { deriveAddress, parseAccountKey } from '../../src/tron/account-key.ts'
import type { TronAddress } from '../../src/tron/address.ts'
import { testXpub } from '../support/api-under-test.ts'

const account = parseAccountKey(testXpub)
const at = (index: number) => deriveAddress(account, index)

test('all addresses are asked about before the first answer comes', async () => {
  let answerAll = () => {}
  const allAsked = new Promise<void>(resolve => {
    answerAll = resolve
  })
  let asked = 0
  const hasReceived = async (address: TronAddress) => {
    if (++asked === lookedAt) answerAll()
    await allAsked
    return address === at(9)
  }
  const balances: TronAddress[] = []
  const balanceOf = async (address: TronAddress) => {
    balances.push(address)
    return 5n
  }
  const found = await findUsedAddresses(account, 7, { hasReceived, balanceOf, isOneProvider: true })
  assert.deepEqual(found, [{ index: 9, address: at(9), balance: 5n }])
  assert.deepEqual(
    balances,
    [at(9)],
    'the same provider is not asked what an address holds that received nothing',
  )
})

test('another provider is asked about each address, whatever the first one says', async () => {
  const hasReceived = async (address: TronAddress) => address === at(1)
  const balanceOf = async (address: TronAddress) => (address === at(3) ? 7n : 0n)
  const found = await findUsedAddresses(account, 0, { hasReceived, balanceOf, isOneProvider: false })
  assert.deepEqual(found, [
    { index: 1, address: at(1), balance: null },
    { index: 3, address: at(3), balance: 7n },
  ])
})

test('no address beyond the last index is asked about', async () => {
  const asked: TronAddress[] = []
  const balanceOf = async (address: TronAddress) => {
    asked.push(address)
    return 0n
  }
  await findUsedAddresses(account, 0x7ffffffe, { hasReceived: null, balanceOf, isOneProvider: false })
  assert.deepEqual(asked, [at(0x7ffffffe), at(0x7fffffff)])
})

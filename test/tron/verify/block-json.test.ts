import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import { MessageError } from '../../../src/tron/message-fields.ts'
import { encodeElement, encodeProtobuf } from '../../../src/tron/protobuf.ts'
import { sentBlockOfJson } from '../../../src/tron/verify/block-json.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import { knownProducers } from '../../../src/tron/verify/block-producer.ts'
import { encodeResult } from '../../../src/tron/verify/transaction-result.ts'
import { checkContent, verifyBlock } from '../../../src/tron/verify/verify-block.ts'
import {
  blockMessage,
  jsonOfMessage,
  producerKey,
  someId,
  token,
  variedTransactions,
} from './block-messages.ts'

const { secret: key, address: producer } = producerKey('one')
const producers = knownProducers(new Map([[producer, [producer]]]))
// Without those whose results have fields that JSON does not say.
const transactions = variedTransactions().filter((_, i) => i !== 2 && i !== 3)
const message = blockMessage({ height: 7, parentHash: someId(6), producer, key, transactions })
// biome-ignore lint/suspicious/noExplicitAny: changed member by member.
const fresh = (): any => structuredClone(jsonOfMessage(message))

test('a block is the same from JSON as from its message, and verified', () => {
  const block = sentBlockOfJson(fresh(), token)!
  assert.deepEqual(block, sentBlockOfMessage(message, token))
  assert.equal(verifyBlock(block, producers).kind, 'verified')
})

test('an unknown field in a result cannot be seen in JSON: the root does not fit', () => {
  const whole = blockMessage({
    height: 7,
    parentHash: someId(6),
    producer,
    key,
    transactions: variedTransactions(),
  })
  assert.equal(checkContent(sentBlockOfMessage(whole, token)!), null)
  assert.equal(checkContent(sentBlockOfJson(jsonOfMessage(whole), token)!), 'root')
})

test('every changed digit, number and name of a block in JSON is refused, or is one that is not used', () => {
  const places: (readonly (string | number)[])[] = []
  const find = (value: unknown, path: readonly (string | number)[]): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) find(inner, [...path, name])
    } else places.push(path)
  }
  find(fresh(), [])
  const original = sentBlockOfJson(fresh(), token)
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.nat(), fc.integer({ min: 1, max: 15 }), (path, at, by) => {
      const json = fresh()
      const last = path.at(-1)!
      const parent = path.slice(0, -1).reduce((value, name) => value[name], json)
      parent[last] = changed(parent[last], at, by)
      const outcome = outcomeOf(json)
      // The ids of transactions are computed. v of the signature is not signed.
      const isFree = last === 'txID' || (last === 'witness_signature' && isV(parent[last]))
      if (!isFree) assert.notEqual(outcome, 'verified', path.join('.'))
      else assert.deepEqual(strip(sentBlockOfJson(json, token)), strip(original))
    }),
    { numRuns: 400 },
  )
})

test('members that are missing, added or moved are refused', () => {
  const cases: [string, (json: ReturnType<typeof fresh>) => void, RegExp][] = [
    ['no header', json => delete json.block_header, /block_header is not an object/],
    ['no id', json => delete json.blockID, /blockID/],
    ['a transaction less', json => json.transactions.pop(), /root/],
    ['no transactions', json => delete json.transactions, /empty-under-root/],
    ['transactions that are no list', json => (json.transactions = {}), /not a list/],
    ['a transaction that is null', json => (json.transactions[0] = null), /not an object/],
    ['transactions exchanged', json => json.transactions.reverse(), /root/],
    ['no raw_data_hex', json => delete json.transactions[0].raw_data_hex, /raw_data_hex/],
    ['capitals', json => (json.blockID = json.blockID.toUpperCase().replace(/^0+/, 'A')), /blockID/],
    ['an odd digit', json => (json.transactions[0].raw_data_hex += 'a'), /raw_data_hex/],
    ['a signature less', json => json.transactions[1].signature.pop(), /root/],
    ['no signature', json => delete json.transactions[0].signature, /root/],
    ['no result', json => delete json.transactions[0].ret, /root/],
    ['an empty result', json => (json.transactions[0].ret = [{}]), /root/],
    ['another result', json => (json.transactions[0].ret = [{ contractRet: 'REVERT' }]), /root/],
    ['a second result', json => json.transactions[0].ret.push({ contractRet: 'SUCCESS' }), /root/],
    ['a fee in the result', json => (json.transactions[0].ret[0].fee = 1), /root/],
    ['an unknown member of the result', json => (json.transactions[0].ret[0].bonus = 1), /leaf/],
    ['a result of an unknown name', json => (json.transactions[0].ret[0].contractRet = 'GREAT'), /leaf/],
    ['a result inherited by name', json => (json.transactions[0].ret[0].contractRet = 'toString'), /leaf/],
    ['a negative height', json => (json.block_header.raw_data.number = -7), /number/],
    ['a height as text', json => (json.block_header.raw_data.number = '7'), /number/],
    ['no producer', json => delete json.block_header.raw_data.witness_address, /id/],
  ]
  for (const [what, change, expected] of cases) {
    const json = fresh()
    change(json)
    assert.match(outcomeOf(json), expected, what)
  }
})

test('whatever is sent as JSON, the only error is the one of messages', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (value, transaction) => {
      outcomeOf(value)
      outcomeOf({ ...fresh(), transactions: [transaction] })
      outcomeOf({ ...fresh(), transactions: [{ raw_data_hex: '', ret: [transaction], signature: [] }] })
      outcomeOf({ ...fresh(), block_header: transaction })
    }),
    { numRuns: 300 },
  )
})

test('results are encoded as by the classes that were generated for tronweb', () => {
  // biome-ignore lint/suspicious/noExplicitAny: generated code without types.
  const { Transaction, MarketOrderDetail }: any = createRequire(import.meta.url)(
    '../../../node_modules/tronweb/lib/commonjs/protocol/core/Tron_pb.cjs',
  )
  const result = new Transaction.Result()
  result.setFee(300)
  result.setRet(1)
  result.setContractret(14)
  result.setAssetissueid('1000001')
  result.setWithdrawAmount(2 ** 40)
  result.setUnfreezeAmount(128)
  result.setExchangeReceivedAmount(1)
  result.setExchangeInjectAnotherAmount(2)
  result.setExchangeWithdrawAnotherAmount(3)
  result.setExchangeId(4)
  result.setShieldedTransactionFee(5)
  result.setOrderid(Buffer.from('0aff', 'hex'))
  for (const quantity of [6, 0]) {
    const order = new MarketOrderDetail()
    order.setMakerorderid(Buffer.from('01', 'hex'))
    order.setTakerorderid(Buffer.from('02', 'hex'))
    order.setFillsellquantity(quantity)
    order.setFillbuyquantity(7)
    result.addOrderdetails(order)
  }
  const json = {
    orderDetails: [
      { makerOrderId: '01', takerOrderId: '02', fillSellQuantity: 6, fillBuyQuantity: 7 },
      { makerOrderId: '01', takerOrderId: '02', fillBuyQuantity: 7 },
    ],
    orderId: '0aff',
    shielded_transaction_fee: 5,
    exchange_id: 4,
    exchange_withdraw_another_amount: 3,
    exchange_inject_another_amount: 2,
    exchange_received_amount: 1,
    unfreeze_amount: 128,
    withdraw_amount: 2 ** 40,
    assetIssueID: '1000001',
    contractRet: 'TRANSFER_FAILED',
    ret: 'FAILED',
    fee: 300,
  }
  assert.equal(encodeResult(json)?.toString('hex'), Buffer.from(result.serializeBinary()).toString('hex'))
})

test('the newer fields of a result are encoded: an amount, and a map whose zeros are written', () => {
  const entry = (key: string, value: number) =>
    encodeElement(
      28,
      Buffer.concat([
        encodeElement(1, Buffer.from(key)),
        value ? encodeProtobuf([[2, value]]) : Buffer.from([16, 0]),
      ]),
    )
  assert.deepEqual(
    encodeResult({
      contractRet: 'SUCCESS',
      withdraw_expire_amount: 9,
      cancel_unfreezeV2_amount: [
        { key: 'BANDWIDTH', value: 0 },
        { key: 'ENERGY', value: 5 },
      ],
    }),
    Buffer.concat([
      encodeProtobuf([
        [3, 1],
        [27, 9],
      ]),
      entry('BANDWIDTH', 0),
      entry('ENERGY', 5),
    ]),
  )
  assert.deepEqual(encodeResult({}), Buffer.alloc(0))
  assert.deepEqual(encodeResult({ fee: 0, contractRet: 'DEFAULT', orderDetails: [] }), Buffer.alloc(0))
})

test('a result that JSON does not carry exactly is not encoded', () => {
  const not: Record<string, unknown>[] = [
    { fee: 2 ** 53 },
    { fee: -1 },
    { fee: 1.5 },
    { fee: '1' },
    { contractRet: 1 },
    { assetIssueID: 5 },
    { orderId: 'xyz' },
    { orderId: 'abc' },
    { orderDetails: {} },
    { orderDetails: [null] },
    { orderDetails: [{ fillBuyQuantity: 1, other: 1 }] },
    { cancel_unfreezeV2_amount: { ENERGY: 1 } },
    { cancel_unfreezeV2_amount: [{ key: 1 }] },
    { cancel_unfreezeV2_amount: [{ key: 'ENERGY', value: 1, more: 1 }] },
    { bonus: 0 },
  ]
  for (const result of not) assert.equal(encodeResult(result), null, JSON.stringify(result))
})

function outcomeOf(json: unknown): string {
  try {
    const block = sentBlockOfJson(json, token)
    if (!block) return 'none'
    const verified = verifyBlock(block, producers)
    return verified.kind === 'verified' ? 'verified' : verified.why
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    return error.message
  }
}

/** Changes one hex digit, a number, or a name. */
function changed(value: string | number, at: number, by: number): string | number {
  if (typeof value === 'number') return value + by
  if (!/^[0-9a-f]+$/.test(value)) return `${value}X`
  const index = at % value.length
  const digit = (Number.parseInt(value[index]!, 16) + by) % 16
  return value.slice(0, index) + digit.toString(16) + value.slice(index + 1)
}

/** Whether r and s are those of the original. */
function isV(signature: string): boolean {
  return signature.slice(0, 128) === fresh().block_header.witness_signature.slice(0, 128)
}

function strip(block: ReturnType<typeof sentBlockOfJson>): object {
  const { signature: _, ...others } = block!
  return others
}

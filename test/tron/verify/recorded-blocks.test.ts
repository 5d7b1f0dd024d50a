import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import type { UsdtTransfer } from '../../../src/tron/block.ts'
import { MessageFields } from '../../../src/tron/message-fields.ts'
import { readTransactionInfos } from '../../../src/tron/node/node-answers.ts'
import { readUsdtLogs, type UsdtLogs } from '../../../src/tron/node/solid-block.ts'
import { sentBlockOfJson } from '../../../src/tron/verify/block-json.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import { isSignedByProducer, knownProducers, signerOf } from '../../../src/tron/verify/block-producer.ts'
import { compareCalls } from '../../../src/tron/verify/compare-calls.ts'
import { merkleRoot } from '../../../src/tron/verify/merkle-root.ts'
import type { SentBlock, SentHeader } from '../../../src/tron/verify/sent-block.ts'
import { SolidCount } from '../../../src/tron/verify/solid-count.ts'
import { readContract } from '../../../src/tron/verify/token-call.ts'
import { checkContent, verifyBlock, verifyHeader } from '../../../src/tron/verify/verify-block.ts'
import { recorded, skipWithoutRecorded } from '../recorded.ts'
import { headerOfMessage } from './block-messages.ts'

const skip = { skip: skipWithoutRecorded }
const usdt = 'a614f803b6fd780986a42c78ec9c7f77e6ded13c'
const privateToken = 'e618bd3ff11082ede98cec7cd15453d883fe5295'
const headersFile = 'verify.mainnet-headers-78000000-78000099.json'
const bare = (digits: string) => digits.replace(/^0x/, '')
const bytesOf = (digits: string) => Buffer.from(bare(digits), 'hex')

/** The 27 producers of one day and the key each signs with. */
function mainnetProducers() {
  const { srs, witnessDelegatees } = recorded(headersFile)
  return new Map<string, string[]>(
    srs.map((producer: string, i: number) => [`41${bare(producer)}`, [`41${bare(witnessDelegatees[i])}`]]),
  )
}

test(
  'a whole block of the main network is verified from its message, unknown fields and long signatures included',
  skip,
  () => {
    const message = bytesOf(recorded('verify.mainnet-79072107-blockextention.json').blockExtention)
    const block = sentBlockOfMessage(message, usdt)!
    assert.equal(block.transactions.length, 619)
    assert.equal(block.height, 79_072_107)
    const producers = knownProducers(mainnetProducers())
    assert.deepEqual(verifyBlock(block, producers), { kind: 'verified', producer: block.producer })
    assert.deepEqual(
      verifyBlock(block, producers),
      { kind: 'verified', producer: block.producer },
      'by a remembered key',
    )
    assert.equal(checkContent(block), null)
    const calls = block.transactions.filter(({ call }) => call)
    // The other calls of the token are neither transfer nor transferFrom.
    assert.ok(calls.length >= 152 && calls.length <= 156, `${calls.length} transfers`)
    assert.ok(
      block.transactions.every(
        ({ contractType, contractRet }) => contractType !== null && contractRet !== null,
      ),
    )
    // The node says the ids too.
    const fields = new MessageFields(message)
    const ids: string[] = []
    while (fields.next()) {
      if (fields.number !== 1) continue
      const extention = fields.nested()
      while (extention.next()) if (extention.number === 2) ids.push(extention.bytes().toString('hex'))
    }
    assert.deepEqual(
      block.transactions.map(({ txid }) => txid),
      ids,
    )
  },
)

test('the root of a block of the main network is computed from its 446 leaves', skip, () => {
  const { leaves, headerTxTrieRoot, encodedTx, txIdFromRawData, txLeaf, targetIndex } = recorded(
    'verify.mainnet-78812179-leaves-and-headers.json',
  )
  assert.equal(leaves.length, 446)
  assert.equal(merkleRoot(leaves.map(bare)), bare(headerTxTrieRoot))
  assert.equal(hash('sha256', bytesOf(encodedTx), 'hex'), bare(txLeaf))
  assert.equal(txLeaf, leaves[targetIndex])
  const raw = new MessageFields(bytesOf(encodedTx))
  assert.ok(raw.next())
  assert.equal(hash('sha256', raw.bytes(), 'hex'), bare(txIdFromRawData))
  assert.deepEqual(
    readContract(raw.nested(), Buffer.from(usdt, 'hex')),
    { contractType: 31, call: null },
    'a bridge',
  )
})

test('twenty headers of the main network are linked, signed, and make the first one solid', skip, () => {
  const blocks: SentHeader[] = recorded('verify.mainnet-78812179-leaves-and-headers.json').blocks.map(
    (bytes: string) => headerOfMessage(bytesOf(bytes)),
  )
  const producers = knownProducers(mainnetProducers())
  for (const block of blocks) assert.equal(verifyHeader(block, producers).kind, 'verified')
  const count = new SolidCount({ height: blocks[0]!.height - 1, id: blocks[0]!.parentHash })
  const solid = blocks.map(block => {
    const taken = count.take(block)
    assert(taken.kind === 'added')
    return taken.solid?.height ?? null
  })
  // Nineteen blocks make the lowest of them solid: java-tron's head is 18 above its solid block.
  assert.deepEqual(solid, [...Array(18).fill(null), blocks[0]!.height, blocks[1]!.height])
})

test(
  'a hundred headers of the main network are signed by the keys of their producers, seven of them not their address',
  skip,
  () => {
    const file = recorded(headersFile)
    const keys = mainnetProducers()
    assert.equal([...keys].filter(([producer, [signer]]) => producer !== signer).length, 7)
    const producers = knownProducers(keys)
    const count = new SolidCount({ height: 77_999_999, id: headerAt(file, 0).parentHash })
    let parent: SentHeader | null = null
    for (let i = 0; i < 100; i++) {
      const sent = headerAt(file, i)
      if (parent) assert.equal(sent.parentHash, parent.id)
      assert.deepEqual(verifyHeader(sent, producers), { kind: 'verified', producer: sent.producer })
      assert.deepEqual([signerOf(sent)], keys.get(sent.producer))
      count.take(sent)
      parent = sent
    }
    assert.equal(producers.publicKeys.size, 27)
    assert.deepEqual([count.head.height, count.solid.height], [78_000_099, 78_000_081])
    // Only the producers whose address is their key are right without the others' keys.
    const byAddress = knownProducers(new Map([...keys.keys()].map(producer => [producer, [producer]])))
    const signed = Array.from({ length: 27 }, (_, i) => isSignedByProducer(headerAt(file, i), byAddress))
    assert.equal(signed.filter(Boolean).length, 20)
  },
)

function headerAt(file: ReturnType<typeof recorded>, i: number): SentHeader {
  const header = headerOfMessage(bytesOf(file.blockHeaderRawBytes[i]), bytesOf(file.witnessSignatures[i]))
  return { ...header, id: bare(file.blockIds[i] ?? header.id) }
}

test('55 USDT transactions of the main network: leaf, id, sender, recipient, amount', skip, () => {
  const { trc20Txs } = recorded('verify.mainnet-78115149-usdt-transactions-and-leaves.json')
  assert.equal(trc20Txs.length, 55)
  for (const row of trc20Txs) {
    const bytes = bytesOf(row.encodedTx)
    assert.equal(hash('sha256', bytes, 'hex'), bare(row.txLeaf))
    const fields = new MessageFields(bytes)
    assert.ok(fields.next())
    assert.equal(hash('sha256', fields.bytes(), 'hex'), bare(row.txId))
    const { call, contractType } = readContract(fields.nested(), Buffer.from(usdt, 'hex'))
    assert.equal(contractType, 31)
    assert.ok(call)
    assert.deepEqual(
      [`0x41${call.fromHex}`, `0x41${call.toHex}`, `${call.amount}`],
      [row.fromTron, row.toTron, row.amount],
    )
  }
})

test('a block of a private network is verified from JSON, and its plain transfers are signed', skip, () => {
  const block = sentBlockOfJson(recorded('private.java-tron-4.8.0.block-129.json'), privateToken)!
  verifiedFromJson(block)
  const answers = ['a', 'b'].map(node => recorded(`private.java-tron-4.8.0.infos-129.node-${node}.json`))
  const compared = answers.map(answer => {
    const transfers = transfersOf(answer)
    const { signed, ...others } = compareCalls(transfers, block)
    assert.deepEqual(others, { unlogged: [], differing: [], contradicted: [] })
    return { all: transfers.map(keyOf), signed: [...signed].map(keyOf) }
  })
  assert.deepEqual(compared[0], compared[1], 'two honest nodes')
  const calls = block.transactions.filter(
    ({ call, contractRet }) => call && call.amount > 0n && contractRet === 'SUCCESS',
  )
  assert.equal(compared[0]!.signed.length, calls.length)
  assert.equal(calls.length, 2)
  assert.ok(compared[0]!.all.length > calls.length, 'others are made by contracts')
})

test('a private block with two signatures in a transaction is verified from JSON', skip, () => {
  const answer = recorded('private.java-tron-4.8.0.block-with-two-signatures.json')
  assert.ok(answer.transactions.some(({ signature }: { signature: string[] }) => signature.length === 2))
  verifiedFromJson(sentBlockOfJson(answer, privateToken)!)
})

test('whole blocks of Shasta are verified from JSON', skip, () => {
  verifiedFromJson(sentBlockOfJson(recorded('getblock.shasta-1000000.full.json'), usdt)!)
  verifiedFromJson(sentBlockOfJson(recorded('getnowblock.shasta-33801295.empty.json'), usdt)!)
  for (const block of recorded('getblockbylatestnum.shasta-33801077.empty-blocks.json').block) {
    if (!block.transactions) verifiedFromJson(sentBlockOfJson(block, usdt)!)
  }
})

test('a log of a transaction that ran out of time is contradicted by its block', skip, () => {
  const info = recorded('private.java-tron-4.8.0.info-out-of-time-with-logs.json')
  // A node that says it succeeded.
  const [transfer] = transfersOf([
    { ...info, receipt: { ...info.receipt, result: 'SUCCESS' }, result: undefined },
  ])
  assert.ok(transfer)
  const block = {
    transactions: [{ txid: info.id, leaf: null, contractType: 31, contractRet: 'OUT_OF_TIME', call: null }],
  } as unknown as SentBlock
  assert.deepEqual(compareCalls([transfer], block).contradicted, [info.id])
})

test('blocks that lost transactions when they were recorded are refused by their root', skip, () => {
  for (const name of ['getblockbynum.mainnet-30864544.trimmed', 'getnowblock.mainnet-47964392.trimmed']) {
    assert.equal(checkContent(sentBlockOfJson(recorded(`${name}.json`), usdt)!), 'root')
  }
  const { transactions: _, ...headerOnly } = recorded('getblock.shasta-1000000.full.json')
  assert.equal(checkContent(sentBlockOfJson(headerOnly, usdt)!), 'empty-under-root')
  assert.equal(
    checkContent(sentBlockOfJson(recorded('getblock.nile-66987565.header-only.json'), usdt)!),
    'empty-under-root',
  )
})

/** Its content fits, and somebody signed it: who the producers of these networks are, and with which keys, is not recorded. */
function verifiedFromJson(block: SentBlock): void {
  assert.equal(checkContent(block), null)
  const signer = signerOf(block)!
  const producers = knownProducers(new Map([[block.producer, [signer]]]))
  assert.deepEqual(verifyBlock(block, producers), { kind: 'verified', producer: block.producer })
}

function transfersOf(infos: unknown[]): UsdtTransfer[] {
  const found: UsdtLogs = { transfers: [], undecodable: [], alarms: [], undone: [] }
  for (const [txIndex, info] of readTransactionInfos(infos).entries())
    readUsdtLogs(info, txIndex, privateToken, found)
  assert.deepEqual(found.undecodable, [])
  return found.transfers
}

function keyOf({ txid, logIndex, amount }: UsdtTransfer): string {
  return `${txid} ${logIndex} ${amount}`
}

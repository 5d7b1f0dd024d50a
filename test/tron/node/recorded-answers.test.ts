import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressFromHex, addressToHex } from '../../../src/tron/address.ts'
import { type BlockHeader, blockId, transactionId } from '../../../src/tron/block-id.ts'
import { networks } from '../../../src/tron/network.ts'
import { readBlock, readTransactionInfos } from '../../../src/tron/node/node-answers.ts'
import { readAnswer } from '../../../src/tron/node/node-refusal.ts'
import { joinSolidBlock } from '../../../src/tron/node/solid-block.ts'
import { decodeTransferLog, type NodeLog } from '../../../src/tron/transfer-log.ts'
import { sentHeaderOfJson } from '../../../src/tron/verify/block-json.ts'
import { recorded, recordedNames, skipWithoutRecorded } from '../recorded.ts'

// What was recorded from real nodes, read by our own code; the facts expected of it are written down here.
const skip = skipWithoutRecorded
const contractOf = (network: 'mainnet' | 'nile' | 'shasta') => addressToHex(networks[network].usdtContract!)

type Transfer = [txid: string, logIndex: number, from: string, to: string, units: bigint]
const expected: Record<string, Transfer[]> = {
  'gettransactioninfobyblocknum.mainnet-84940364.first6.json': [
    ['f52df87d', 0, 'TWrCqzeJMWvfEGyGVrRPTTERkWQLSgmMoY', 'TBa4Nb96tj4jUx85tcqvyWYyFi7mowHVLJ', 500_000_000n],
    [
      'e3249346',
      0,
      'TUsiiA8jqAEagjV78T1NvjQjLbME5pWCMA',
      'TQMXevvCisESgK479N4mG8TTkps1LCNiyb',
      23_111_110_000n,
    ],
    ['fa59d11e', 0, 'TY2p6ZaZvc1vbniAUndjCwDsBSD7HngE2h', 'TJwzFM5gyU15uqWNeqGfyX7jEdvabNph7t', 270_550_000n],
    ['90e42a06', 0, 'TXFQoyP3ZnsbygNzeyfcJLrUveX5jp7vzQ', 'TD7kfvnJnXYkxEgcPgPzmxXVMqACJP1Tja', 20_000_000n],
  ],
  'gettransactioninfobyblocknum.nile-66987565.first2of4.json': [],
  'gettransactioninfobyblocknum.shasta-1000000.full.json': [],
  'gettransactioninfobyid.mainnet-65918456.withdraw-amount.json': [],
  'gettransactioninfobyid.mainnet-66860010.usdt-out-of-energy.json': [],
  'gettransactioninfobyid.mainnet-66862205.plain.json': [],
  'gettransactioninfobyid.mainnet-69226727.unfreeze-amount.json': [],
  'gettransactioninfobyid.mainnet-69316562.usdt-130285-energy.json': [
    ['0130dfde', 0, 'TL24LCps5FKwp3PoU1MvrYrwhi5LU1tHre', 'TXVj38D1XR3TPgSHTCZGC8wkLDAGqF1oqx', 41_677_389n],
  ],
  'gettransactioninfobyid.mainnet-69316598.trx-account-activation.json': [],
  'gettransactioninfobyid.mainnet-77641497.dex-swap-internal-usdt.json': [
    ['7b6589b2', 12, 'TW7pbp4pD38qv6kSaw44i4uVzthz2bBpYc', 'TYWc7X6YHpp2YrFXwLRsofdiL78JRvDd6u', 2_916_449n],
    ['7b6589b2', 20, 'TYWc7X6YHpp2YrFXwLRsofdiL78JRvDd6u', 'TSjRgk9kUDiAykRVC3EodS3U8cK8gRHkPQ', 2_916_449n],
  ],
  'gettransactioninfobyid.shasta-32880248.plain.json': [],
  'gettransactioninfobyid.shasta-67881840.usdt.json': [
    ['e10afdcf', 0, 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH', 'TSeJkUh4Qv67VNFwY8LaAxERygNdy6NQZK', 1_234_567n],
  ],
}

for (const [name, transfers] of Object.entries(expected)) {
  test(`${name} holds ${transfers.length} USDT transfers, each as recorded`, { skip }, () => {
    const contract = contractOf(/\.(mainnet|nile|shasta)-/.exec(name)![1] as 'mainnet')
    const infos = readTransactionInfos([recorded(name)].flat())
    const found = infos
      .filter(info => info.succeeded)
      .flatMap(({ txid, logs }) =>
        logs.flatMap((log, logIndex): Transfer[] => {
          const decoded = decodeTransferLog(log, contract)
          if (decoded === null) return []
          assert(decoded.kind === 'transfer')
          const [from, to] = [addressFromHex(decoded.fromHex), addressFromHex(decoded.toHex)]
          return [[txid.slice(0, 8), logIndex, from, to, decoded.amount]]
        }),
      )
    assert.deepEqual(found, transfers)
  })
}

test('no recorded transaction info is left out above', { skip }, () => {
  const names = recordedNames().filter(name => /^gettransactioninfo/.test(name))
  assert.deepEqual(names.sort(), Object.keys(expected).sort())
})

test('the log of a recorded JSON-RPC receipt decodes to its transfer', { skip }, () => {
  const { result } = recorded('eth_getTransactionReceipt.mainnet-39507235.usdt.json')
  const decoded = result.logs.map((log: NodeLog) =>
    decodeTransferLog(fromJsonRpc(log), contractOf('mainnet')),
  )
  assert.deepEqual(
    decoded.map((log: { fromHex: string; toHex: string; amount: bigint }) => [
      addressFromHex(log.fromHex),
      addressFromHex(log.toHex),
      log.amount,
    ]),
    [['TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm', 'TA9MKSZT1gY4ZsY6J7tuesw5e5RHTC6q1R', 581_320_924n]],
  )
})

test('the recorded eth_getLogs of another contract holds no USDT transfer', { skip }, () => {
  const { result } = recorded('eth_getLogs.mainnet-35889319.by-blockHash.first1.json')
  assert.equal(result.length, 1)
  for (const log of result) assert.equal(decodeTransferLog(fromJsonRpc(log), contractOf('mainnet')), null)
})

test('a whole recorded block and its infos fit together', { skip }, () => {
  const block = readBlock(recorded('getblock.shasta-1000000.full.json'), contractOf('shasta'))
  const infos = readTransactionInfos(recorded('gettransactioninfobyblocknum.shasta-1000000.full.json'))
  const { header, ...joined } = joinSolidBlock(1_000_000, block!, infos, contractOf('shasta'))
  assert.deepEqual(header, sentHeaderOfJson(recorded('getblock.shasta-1000000.full.json')))
  assert.deepEqual(joined, {
    height: 1_000_000,
    hash: '00000000000f424013e51b18e0782a32fa079ddafdb2f4c343468cf8896dc887',
    parentHash: '00000000000f423fbccd9cdb9e410eabdf9f94145cf5b71a678b8b9616619125',
    time: new Date(1_578_594_852_000),
    transactionCount: 6,
    transfers: [],
    undecodable: [],
    alarms: [],
    undone: [],
    unverified: null,
  })
})

test('a recorded block of which only the first infos were kept does not count as complete', { skip }, () => {
  const infos = readTransactionInfos(recorded('gettransactioninfobyblocknum.shasta-1000000.full.json'))
  const block = readBlock(recorded('getblock.shasta-1000000.full.json'), contractOf('shasta'))!
  assert.throws(
    () => joinSolidBlock(1_000_000, block, infos.slice(0, 5), contractOf('shasta')),
    /has 6 transactions and 5 infos/,
  )
})

test('the ids of the recorded blocks are those of their headers', { skip }, () => {
  const blocks = recordedNames()
    .filter(name => /^get(now)?block/.test(name))
    .flatMap(name => recorded(name).block ?? [recorded(name)])
  assert(blocks.length >= 10)
  for (const block of blocks) {
    assert.equal(blockId(block.block_header.raw_data as BlockHeader), block.blockID)
    assert.equal(readBlock(block, null)!.hash, block.blockID)
  }
})

test('the ids of the recorded transactions are those of their raw data', { skip }, () => {
  const transactions = recordedNames().flatMap(name => transactionsIn(recorded(name)))
  assert(transactions.length >= 40, `found ${transactions.length}`)
  for (const { txID, raw_data_hex } of transactions) {
    assert.equal(transactionId(Buffer.from(raw_data_hex, 'hex')), txID)
  }
})

test('recorded and documented error bodies are refusals: limits ask for later, the rest failed', {
  skip,
}, () => {
  const later = /suspended for|lack of computing/
  for (const { body, http_status } of recorded('error-bodies.json')) {
    // Bodies of JSON-RPC, and the empty answers, which are answers.
    if (/jsonrpc/.test(body) || body === '{}' || body === '[]') continue
    for (const status of [http_status ?? 429].flat()) {
      const kind = later.test(body) || status === 429 ? 'later' : 'failed'
      assert.throws(
        () => readAnswer({ status, retryAfter: undefined, body: Buffer.from(body) }),
        { name: 'NodeError', kind },
        body,
      )
    }
  }
})

function fromJsonRpc(log: NodeLog): NodeLog {
  const bare = (hex: string) => hex.replace(/^0x/, '')
  return { address: bare(log.address), topics: log.topics!.map(bare), data: bare(log.data ?? '') }
}

/** Every transaction with its raw data complete, however deep in an answer. */
function transactionsIn(value: unknown): { txID: string; raw_data_hex: string }[] {
  if (typeof value !== 'object' || value === null) return []
  const { txID, raw_data_hex: raw } = value as { txID?: unknown; raw_data_hex?: unknown }
  const own =
    typeof txID === 'string' && typeof raw === 'string' && /^([0-9a-f]{2})+$/.test(raw)
      ? [{ txID, raw_data_hex: raw }]
      : []
  return [...own, ...Object.values(value).flatMap(transactionsIn)]
}

import { type UsdtUnits, usdt as usdtUnits } from '../../base/money.ts'
import { addressToHex, type TronAddress } from '../../tron/address.ts'
import { networks } from '../../tron/network.ts'
import type { NodeLog } from '../../tron/transfer-log.ts'
import { type TransactionFacts, transferLog } from './transaction-facts.ts'

// Transactions that happened on TRON's main network, by their facts: ids, contracts, results and logs. Logs that are not
// transfers are reduced to their contract and event. The addresses belong to strangers: never send funds to them.

/** A transfer that happened. It must be credited exactly like this when its recipient is an assigned address. */
export interface RealPayment {
  txid: string
  logIndex: number
  to: TronAddress
  amountUnits: UsdtUnits
}

const usdt = networks.mainnet.usdtContract!
// Three other tokens of the swap. Only the contract distinguishes their Transfer events from USDT's.
const soldToken = 'TMwFHYXLJaRUPeW6421aqXL4ZEzPRFGkGT'
const middleToken = 'TUpMhErZL2fhh4sVNULAbNKLokS4GjC1F4'
const shareToken = 'TW1UvgYQZdZmHaT3UeWiJ9owNw2xffVnA5'
// The contracts and accounts of the swap.
const aggregator = 'TYWc7X6YHpp2YrFXwLRsofdiL78JRvDd6u'
const poolA = 'TQcia2H2TU3WrFk9sKtdK9qCfkW8XirfPQ'
const poolB = 'TCFNp179Lg46D16zKoumd4Poa2WFFdtqYj'
const poolC = 'TKBqNLyGJRQbpuMhaT49qG7adcxxmFaVxd'
const poolD = 'TS8d3ZrSxiGZkqhJqMzFKHEC1pjaowFMBJ'
const poolE = 'TW7pbp4pD38qv6kSaw44i4uVzthz2bBpYc'
const swapper = 'TSjRgk9kUDiAykRVC3EodS3U8cK8gRHkPQ'
const zeroAddress = 'T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb'

/** Block 84940364: its first six transactions. Four are USDT transfers, two are not contract calls. */
const blockOfTransfers: readonly TransactionFacts[] = [
  usdtCall('f52df87da4991d1cd8333f48526b2f55375a22e2705e9eaf7edce2a12e53827b', [
    transfer(usdt, 'TWrCqzeJMWvfEGyGVrRPTTERkWQLSgmMoY', 'TBa4Nb96tj4jUx85tcqvyWYyFi7mowHVLJ', 500_000_000n),
  ]),
  usdtCall('e32493469c2ab6f31684c0e5a88cf409329fd9d7176baed4763d294d1c99b1f0', [
    transfer(
      usdt,
      'TUsiiA8jqAEagjV78T1NvjQjLbME5pWCMA',
      'TQMXevvCisESgK479N4mG8TTkps1LCNiyb',
      23_111_110_000n,
    ),
  ]),
  { id: '6c4be83befb08d44e0975662d0b8d60078f8e4e46682f050a80c1599e18b8515', logs: [] },
  { id: 'e2178e75875cb146707ae79e0924140038333af5412c06c607520e1c57af806a', logs: [] },
  usdtCall('fa59d11e48a268cfe1f57889f7e54ecb316a3c0aa12b56989c312395bab83cd3', [
    transfer(usdt, 'TY2p6ZaZvc1vbniAUndjCwDsBSD7HngE2h', 'TJwzFM5gyU15uqWNeqGfyX7jEdvabNph7t', 270_550_000n),
  ]),
  usdtCall('90e42a06a34eeb53fc511e789033090285fbcbc575a35981c60dc3540c904dbb', [
    transfer(usdt, 'TXFQoyP3ZnsbygNzeyfcJLrUveX5jp7vzQ', 'TD7kfvnJnXYkxEgcPgPzmxXVMqACJP1Tja', 20_000_000n),
  ]),
]

/**
 * Block 77641497: a swap on an exchange. A call of another contract moves USDT, in logs 12 and 20, among transfers of three
 * other tokens.
 */
const swap: TransactionFacts = {
  id: '7b6589b22ca801e35fd5d98186e019757875d3fb52c0bdc38a7cf4b2f24d9808',
  contract: aggregator as TronAddress,
  result: 'SUCCESS',
  logs: [
    event(aggregator, 'df4363408b2d9811d1e5c23efdb5bae0b7a68bd9de2de1cbae18a11be3e67ef5'),
    event(aggregator, 'f14fbd8b6e3ad3ae34babfa1f3b6a099f57643662f4cfc24eb335ae8718f534b'),
    transfer(soldToken, poolA, poolB, 4_597_013_054_384_709_136n),
    event(poolA, 'cd60aa75dea3072fbc07ae6d7d856b5dc5f4eee88854f5b4abf7b680ef8bc50f'),
    event(poolA, 'cc7244d3535e7639366f8c5211527112e01de3ec7449ee3a6e66b007f4065a70'),
    transfer(soldToken, poolB, poolC, 4_597_013_054_384_709_136n),
    transfer(shareToken, poolC, zeroAddress, 2_921_602_460_397_038_646n),
    event(shareToken, '8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925'),
    transfer(middleToken, poolD, poolC, 2_927_523_512_701_199_388n),
    event(poolD, '9e96dd3b997a2a257eec4df9bb6eaf626e206df5f543bd963682d143300be310'),
    transfer(middleToken, poolC, poolB, 2_927_523_512_701_199_388n),
    event(poolC, 'd013ca23e77a65003c2c659c5442c00c805371b7fc1ebd4c206c41d1536bd90b'),
    transfer(usdt, poolE, aggregator, 2_916_449n),
    transfer(middleToken, poolB, poolE, 2_927_523_512_701_199_388n),
    event(middleToken, '8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925'),
    event(poolE, 'c42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67'),
    event(poolB, 'a3f636db0b76da13346d04e9a8970b81e1900067a475fea94400232d170f89c2'),
    event(aggregator, '2fc0d44e6ef6b3e7707cacd3cc326511198c3d1598c65dd54be5a9e37ce02f12'),
    event(aggregator, '0e9201911743fd4d03e146f00ad23945dc8f3ffc200906eff25179a52b726f17'),
    event(aggregator, 'df4363408b2d9811d1e5c23efdb5bae0b7a68bd9de2de1cbae18a11be3e67ef5'),
    transfer(usdt, aggregator, swapper, 2_916_449n),
  ],
}

/** Block 69316562: a transfer to an address that had no USDT before, which costs the sender twice the energy. */
const firstTransfer = usdtCall('0130dfde9281a48378109039ef512229d5359fbee2a8adbb17ad73aebc67ea99', [
  transfer(usdt, 'TL24LCps5FKwp3PoU1MvrYrwhi5LU1tHre', 'TXVj38D1XR3TPgSHTCZGC8wkLDAGqF1oqx', 41_677_389n),
])

/** Block 66860010: a transfer that failed for lack of energy. It has no logs and moved nothing. */
const outOfEnergy: TransactionFacts = {
  id: 'e63a324a43aebfe41273db4f7fdfe325b2257b4f5711595a5fc0f8a75cf1b481',
  contract: usdt,
  result: 'OUT_OF_ENERGY',
  logs: [],
}

/** All transactions above, to include in sandbox blocks. */
export const realTransactions: readonly TransactionFacts[] = [
  ...blockOfTransfers,
  swap,
  firstTransfer,
  outOfEnergy,
]

/** All USDT transfers of these transactions. */
export const realPayments: readonly RealPayment[] = [
  payment(blockOfTransfers[0]!, 0, 'TBa4Nb96tj4jUx85tcqvyWYyFi7mowHVLJ', 500_000_000n),
  payment(blockOfTransfers[1]!, 0, 'TQMXevvCisESgK479N4mG8TTkps1LCNiyb', 23_111_110_000n),
  payment(blockOfTransfers[4]!, 0, 'TJwzFM5gyU15uqWNeqGfyX7jEdvabNph7t', 270_550_000n),
  payment(blockOfTransfers[5]!, 0, 'TD7kfvnJnXYkxEgcPgPzmxXVMqACJP1Tja', 20_000_000n),
  payment(swap, 12, aggregator, 2_916_449n),
  payment(swap, 20, swapper, 2_916_449n),
  payment(firstTransfer, 0, 'TXVj38D1XR3TPgSHTCZGC8wkLDAGqF1oqx', 41_677_389n),
]

function usdtCall(id: string, logs: NodeLog[]): TransactionFacts {
  return { id, contract: usdt, result: 'SUCCESS', logs }
}

function transfer(token: string, from: string, to: string, amount: bigint): NodeLog {
  return transferLog(token as TronAddress, from as TronAddress, to as TronAddress, amount)
}

function event(contract: string, topic: string): NodeLog {
  return { address: addressToHex(contract as TronAddress), topics: [topic] }
}

function payment({ id }: TransactionFacts, logIndex: number, to: string, units: bigint): RealPayment {
  return { txid: id, logIndex, to: to as TronAddress, amountUnits: usdtUnits(units) }
}

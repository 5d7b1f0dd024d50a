import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realPayments, realTransactions } from '../../../src/sandbox/chain/real-transactions.ts'
import { startSandboxNode } from '../../../src/sandbox/sandbox-node.ts'
import { addressFromHex, addressToHex, parseTronAddress } from '../../../src/tron/address.ts'
import { networks } from '../../../src/tron/network.ts'
import { createTronNode } from '../../../src/tron/node/node-client.ts'
import { type NodeLog, transferTopic } from '../../../src/tron/transfer-log.ts'
import { recorded, skipWithoutRecorded } from '../../tron/recorded.ts'

test('real transactions in a sandbox block are read as exactly their real payments', async () => {
  const sandbox = await startSandboxNode({ autoMine: false, solidificationDepth: 0 })
  sandbox.chain.add(realTransactions)
  const { height } = sandbox.chain.mine()[0]!
  const node = createTronNode({
    headUrl: sandbox.url,
    solidUrl: sandbox.url,
    usdtContract: networks.sandbox.usdtContract!,
  })
  const block = await node.solidBlock(height)
  assert.equal(block!.transactionCount, 9)
  assert.deepEqual(block!.undecodable, [])
  assert.deepEqual(
    block!.transfers.map(({ txid, logIndex, toHex, amount }) => ({
      txid,
      logIndex,
      to: addressFromHex(toHex),
      amountUnits: amount,
    })),
    realPayments,
  )
  await node.close()
  await sandbox.close()
})

test('they are as they were recorded: ids, contracts, results, every transfer of every token at its place', {
  skip: skipWithoutRecorded,
}, () => {
  const infos = [
    ...recorded('gettransactioninfobyblocknum.mainnet-84940364.first6.json'),
    recorded('gettransactioninfobyid.mainnet-77641497.dex-swap-internal-usdt.json'),
    recorded('gettransactioninfobyid.mainnet-69316562.usdt-130285-energy.json'),
    recorded('gettransactioninfobyid.mainnet-66860010.usdt-out-of-energy.json'),
  ]
  assert.equal(realTransactions.length, infos.length)
  for (const [i, { id, contract, result, logs }] of realTransactions.entries()) {
    const info = infos[i]
    assert.equal(id, info.id)
    assert.equal(contract && `41${addressToHex(contract)}`, info.contract_address)
    assert.equal(result, info.receipt.result)
    assert.deepEqual(
      logs,
      (info.log ?? []).map((log: NodeLog) =>
        log.topics![0] === transferTopic ? log : { address: log.address, topics: [log.topics![0]] },
      ),
    )
  }
})

test('every address written down among them is one', () => {
  for (const { to } of realPayments) assert(parseTronAddress(to), to)
})

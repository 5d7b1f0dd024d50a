import { withTransactions } from '../verify/block-messages.ts'
import { blockHash, type FakeChain, shownAt } from './fake-chain.ts'
import { type FakeGrpcNode, startFakeGrpcNode } from './fake-grpc-node.ts'
import { infosMessage } from './info-messages.ts'

/** A node over gRPC that serves the same chain up to a height as a fake node over HTTP does. */
export interface FakeGrpcChain extends FakeGrpcNode, FakeChain {
  solidHeight: number
  headHeight: number
}

/** @param services as `startFakeGrpcNode` takes them. */
export async function startFakeGrpcChain(
  given: Partial<FakeGrpcChain> = {},
  services?: readonly string[],
): Promise<FakeGrpcChain> {
  const node: FakeGrpcChain = Object.assign(await startFakeGrpcNode(services && { services }), {
    ...{ solidHeight: 1000, headHeight: 1018, chain: 'main', fork: null, lie: null },
    ...given,
  })
  // Not within the deadline of the first call.
  blockHash(node, node.headHeight)
  node.behave = ({ method, number }) => {
    const [service, name] = method.split('/')
    const newest = service === 'Wallet' ? node.headHeight : node.solidHeight
    const isByHeight = name === 'GetBlockByNum2' || name === 'GetTransactionInfoByBlockNum'
    const height = isByHeight || number > 0 ? number : newest
    if (height > newest) return Buffer.alloc(0)
    const { block, infos } = shownAt(node, height)
    if (name === 'GetTransactionInfoByBlockNum') return infosMessage(infos)
    return name === 'GetBlock' ? withTransactions(block, []) : block
  }
  return node
}

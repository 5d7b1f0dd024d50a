import { addressFromHex, type TronAddress } from '../../tron/address.ts'
import { type NodeLog, transferTopic } from '../../tron/transfer-log.ts'

/** An event of a TRC-20 token, as explorers list it. */
export interface TokenEvent {
  type: 'Transfer' | 'Approval'
  token: TronAddress
  from: TronAddress
  to: TronAddress
  value: bigint
}

/** keccak-256 of Approval(address,address,uint256). */
export const approvalTopic = '8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925'

const shape = /^0{24}([0-9a-f]{40})$/

/**
 * Decodes a log. The code is independent of the gateway's on purpose: the sandbox's statements about its chain are what the
 * gateway's results are compared with.
 * @returns null for other events, and for fields of other widths.
 */
export function readTokenEvent(log: NodeLog): TokenEvent | null {
  const [topic, from, to, ...more] = log.topics ?? []
  if (topic !== transferTopic && topic !== approvalTopic) return null
  const sender = shape.exec(from ?? '')?.[1]
  const recipient = shape.exec(to ?? '')?.[1]
  if (!sender || !recipient || more.length > 0 || log.data?.length !== 64) return null
  return {
    type: topic === transferTopic ? 'Transfer' : 'Approval',
    token: address(log.address),
    from: address(sender),
    to: address(recipient),
    value: BigInt(`0x${log.data}`),
  }
}

function address(hex: string): TronAddress {
  return addressFromHex(hex)
}

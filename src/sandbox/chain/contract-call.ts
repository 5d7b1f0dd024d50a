import { keccak_256 } from '@noble/hashes/sha3.js'
import { utils } from 'tronweb'
import { addressToBytes, type TronAddress } from '../../tron/address.ts'
import { transactionId } from '../../tron/block-id.ts'
import type { SandboxBlock } from './sandbox-block.ts'

/** From `SandboxChain.stamp()`: the block a new transaction refers to, and its unique time. */
export interface TransactionStamp {
  refBlock: SandboxBlock
  timeMs: number
}

const feeLimitSun = 225_000_000
const expiresAfterMs = 60_000

/** Encodes a contract call with tronweb, as wallets do, and computes its id. @param call.calldata hex without 0x. */
export function contractCall(
  { refBlock, timeMs }: TransactionStamp,
  call: { from: TronAddress; contract: TronAddress; calldata: string },
): { id: string; raw: { data: object; hex: string } } {
  const data = {
    contract: [
      {
        parameter: {
          value: {
            data: call.calldata,
            owner_address: hexAddress(call.from),
            contract_address: hexAddress(call.contract),
          },
          type_url: 'type.googleapis.com/protocol.TriggerSmartContract',
        },
        type: 'TriggerSmartContract',
      },
    ],
    ref_block_bytes: refBlock.id.slice(12, 16),
    ref_block_hash: refBlock.id.slice(16, 32),
    expiration: timeMs + expiresAfterMs,
    fee_limit: feeLimitSun,
    timestamp: timeMs,
  }
  const encoded = utils.transaction.txJsonToPb({ visible: false, raw_data: data })
  const hex = utils.transaction.txPbToRawDataHex(encoded).toLowerCase()
  return { id: transactionId(Buffer.from(hex, 'hex')), raw: { data, hex } }
}

/** Writes an address as /wallet does: 42 hex digits, 41 in front. */
export function hexAddress(address: TronAddress): string {
  return `41${addressToBytes(address).toString('hex')}`
}

/** Computes the first topic of an event, 64 hex digits. @param signature such as `Paid(uint256)`. */
export function eventTopic(signature: string): string {
  return Buffer.from(keccak_256(Buffer.from(signature))).toString('hex')
}

/** Computes the first 4 bytes of calldata, 8 hex digits. @param signature such as `balanceOf(address)`. */
export function functionSelector(signature: string): string {
  return eventTopic(signature).slice(0, 8)
}

import { hash } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { utils } from 'tronweb'
import { addressToHex, type TronAddress } from '../../tron/address.ts'
import { transactionId } from '../../tron/block-id.ts'
import { secretOf, sign } from './signing-key.ts'

/** From `SandboxChain.stamp()`: what a new transaction refers to, and what makes it unique. */
export interface TransactionStamp {
  refBlock: { id: string }
  timeMs: number
  /** Senders' keys are made from it. */
  seed: string
  /** The share of transactions whose results have an unknown field, 0 to 1. */
  unknownFields: number
}

/** The `raw_data` of a call, as JSON has it. */
export interface CallData {
  contract: {
    parameter: {
      value: { data: string; owner_address: string; contract_address: string }
      type_url: string
    }
    type: string
  }[]
  ref_block_bytes: string
  ref_block_hash: string
  expiration: number
  fee_limit: number
  timestamp: number
}

export interface SignedCall {
  id: string
  raw: { data: CallData; hex: string }
  signatures: readonly string[]
  unknownField?: string
}

const feeLimitSun = 225_000_000
const expiresAfterMs = 60_000
/** What wallets append to some signatures on the main network (block 79072107): 68 bytes. */
const signatureTail = '000000'
const unknownFieldBytes = 12

/** Encodes a contract call with tronweb, as wallets do, computes its id and signs it. @param call.calldata hex without 0x. */
export function contractCall(
  { refBlock, timeMs, seed, unknownFields }: TransactionStamp,
  call: { from: TronAddress; contract: TronAddress; calldata: string },
): SignedCall {
  const data: CallData = {
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
  const encoded = encodeCall(data)
  const chance = Number.parseInt(encoded.id.slice(-8), 16) / 2 ** 32
  return {
    ...encoded,
    signatures: signaturesOf(encoded.id, `${seed} ${call.from}`),
    ...(chance < unknownFields && { unknownField: unknownFieldOf(encoded.id) }),
  }
}

/** Encodes the `raw_data` of a call with tronweb, and computes the transaction's id. */
export function encodeCall(data: CallData): Pick<SignedCall, 'id' | 'raw'> {
  const encoded = utils.transaction.txJsonToPb({ visible: false, raw_data: data })
  const hex = utils.transaction.txPbToRawDataHex(encoded).toLowerCase()
  return { id: transactionId(Buffer.from(hex, 'hex')), raw: { data, hex } }
}

/** Makes the content of an unknown field. */
export function unknownFieldOf(txid: string): string {
  return hash('sha256', `unknown field of ${txid}`, 'hex').slice(0, 2 * unknownFieldBytes)
}

/**
 * Signs a transaction with a key that belongs to its sender. It is not the key of the sender's address, as with accounts that
 * have given others permission. Of 16 transactions one has a second signature, and one a signature of 68 bytes.
 */
function signaturesOf(txid: string, sender: string): string[] {
  const digest = Buffer.from(txid, 'hex')
  const signature = sign(secretOf(`sandbox sender ${sender}`), digest, digest[1]! % 8 === 0 ? 27 : 0)
  if (digest[0]! % 16 === 0) return [signature, sign(secretOf(`sandbox cosigner ${sender}`), digest)]
  return [digest[0]! % 16 === 1 ? signature + signatureTail : signature]
}

/** Writes an address as /wallet does: 42 hex digits, 41 in front. */
export function hexAddress(address: TronAddress): string {
  return `41${addressToHex(address)}`
}

/** Computes the first topic of an event, 64 hex digits. @param signature such as `Paid(uint256)`. */
export function eventTopic(signature: string): string {
  return Buffer.from(keccak_256(Buffer.from(signature))).toString('hex')
}

/** Computes the first 4 bytes of calldata, 8 hex digits. @param signature such as `balanceOf(address)`. */
export function functionSelector(signature: string): string {
  return eventTopic(signature).slice(0, 8)
}

import { hash } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { utils } from 'tronweb'
import type { UsdtUnits } from '../base/money.ts'
import { addressFromBytes, addressToBytes, type TronAddress } from '../tron/address.ts'
import { transactionId } from '../tron/block-id.ts'
import { networks } from '../tron/network.ts'
import type { NodeLog } from '../tron/transfer-log.ts'
import type { SandboxBlock } from './sandbox-chain.ts'
import {
  addressWord,
  amountWord,
  type CallResult,
  type SandboxTransaction,
  transferLog,
} from './transaction-facts.ts'

/** What there is on every sandbox chain. Nobody holds a key to any of it: the sandbox asks for no signature. */
export const sandboxAddresses = {
  usdt: networks.sandbox.usdtContract!,
  /** A token that calls itself USDT and is not. */
  lookalike: madeAddress('lookalike token'),
  /** A contract that moves tokens when called, as exchanges and batch senders do. */
  router: madeAddress('router'),
  /** Sends when nobody else is named; has all the money. */
  payer: madeAddress('payer'),
}

/** How a payment can fail. OUT_OF_TIME keeps its logs although its effects are undone; the others have none. */
export const failures = ['REVERT', 'OUT_OF_ENERGY', 'OUT_OF_TIME'] as const satisfies readonly CallResult[]

export interface Payment {
  to: TronAddress
  amount: UsdtUnits
}

export interface PaymentOptions {
  from?: TronAddress | undefined
  /** Default: USDT. */
  token?: TronAddress | undefined
  /** The contract that is called and moves the token; by default the token itself is called. */
  through?: TronAddress | undefined
  fail?: (typeof failures)[number] | undefined
}

const feeLimitSun = 225_000_000
const expiresAfterMs = 60_000
const transferSelector = 'a9059cbb'
const paySelector = selector('pay(address,address[],uint256[])')
const paidTopic = keccak('Paid(uint256)')

/**
 * Makes a transaction that pays: calldata, logs and id (the hash of its real raw data) as a wallet and a node would.
 * Several payments in one transaction go through a contract, the router if none is named.
 * @param stamp from `SandboxChain.stamp()`.
 */
export function makePayment(
  stamp: { refBlock: SandboxBlock; timeMs: number },
  payments: readonly Payment[],
  options: PaymentOptions = {},
): SandboxTransaction {
  const { from = sandboxAddresses.payer, token = sandboxAddresses.usdt, fail } = options
  const through = options.through ?? (payments.length > 1 ? sandboxAddresses.router : undefined)
  const transfers = payments.map(({ to, amount }) => transferLog(token, from, to, amount))
  // The contract's own event comes first, so that the transfers do not begin at log 0.
  const logs = through ? [paidLog(through, payments.length), ...transfers] : transfers
  const contract = through ?? token
  const calldata = through ? payCalldata(token, payments) : transferCalldata(payments[0]!)
  return {
    ...contractCall(stamp, { from, contract, calldata }),
    contract,
    result: fail ?? 'SUCCESS',
    logs: fail && fail !== 'OUT_OF_TIME' ? [] : logs,
  }
}

/** Raw data and id of a call, encoded by tronweb as wallets do. */
function contractCall(
  stamp: { refBlock: SandboxBlock; timeMs: number },
  call: { from: TronAddress; contract: TronAddress; calldata: string },
): { id: string; raw: { data: object; hex: string } } {
  const { refBlock, timeMs } = stamp
  const data = {
    contract: [
      {
        parameter: {
          value: {
            data: call.calldata,
            owner_address: `41${addressToBytes(call.from).toString('hex')}`,
            contract_address: `41${addressToBytes(call.contract).toString('hex')}`,
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

function transferCalldata({ to, amount }: Payment): string {
  return transferSelector + addressWord(to) + amountWord(amount)
}

/** pay(token, recipients, amounts): the two lists stand behind the three words, each with its length in front. */
function payCalldata(token: TronAddress, payments: readonly Payment[]): string {
  const listBytes = 32 * (1 + payments.length)
  return [
    paySelector,
    addressWord(token),
    amountWord(96n),
    amountWord(BigInt(96 + listBytes)),
    amountWord(BigInt(payments.length)),
    ...payments.map(({ to }) => addressWord(to)),
    amountWord(BigInt(payments.length)),
    ...payments.map(({ amount }) => amountWord(amount)),
  ].join('')
}

function paidLog(contract: TronAddress, count: number): NodeLog {
  return {
    address: addressToBytes(contract).toString('hex'),
    topics: [paidTopic],
    data: amountWord(BigInt(count)),
  }
}

function madeAddress(name: string): TronAddress {
  return addressFromBytes(hash('sha256', `sandbox ${name}`, 'buffer').subarray(0, 20))
}

function keccak(text: string): string {
  return Buffer.from(keccak_256(Buffer.from(text))).toString('hex')
}

function selector(signature: string): string {
  return keccak(signature).slice(0, 8)
}

import { hash } from 'node:crypto'
import type { UsdtUnits } from '../../base/money.ts'
import { addressFromBytes, addressToHex, type TronAddress } from '../../tron/address.ts'
import { networks } from '../../tron/network.ts'
import type { NodeLog } from '../../tron/transfer-log.ts'
import { contractCall, eventTopic, functionSelector, type TransactionStamp } from './contract-call.ts'
import {
  addressWord,
  amountWord,
  type CallResult,
  type SandboxTransaction,
  transferLog,
} from './transaction-facts.ts'

/** The addresses of every sandbox chain. They have no private keys: others sign for them, and the sandbox checks no signatures. */
export const sandboxAddresses = {
  usdt: networks.sandbox.usdtContract!,
  /** A token that has the name USDT and is not USDT. */
  lookalike: madeAddress('lookalike token'),
  /** A contract that moves tokens when called, as those of exchanges and batch senders. */
  router: madeAddress('router'),
  /** The default sender, with unlimited funds. */
  payer: madeAddress('payer'),
}

/** How a payment can fail. OUT_OF_TIME keeps its logs although its effects are undone; the others keep none. */
export const failures = ['REVERT', 'OUT_OF_ENERGY', 'OUT_OF_TIME'] as const satisfies readonly CallResult[]

export interface Payment {
  to: TronAddress
  amount: UsdtUnits
}

export interface PaymentOptions {
  from?: TronAddress | undefined
  /** Default: USDT. */
  token?: TronAddress | undefined
  /** The contract that is called and moves the token. By default the token itself is called. */
  through?: TronAddress | undefined
  fail?: (typeof failures)[number] | undefined
  /** Puts an unknown field into the result, whatever share of transactions has one. */
  unknownField?: boolean | undefined
}

export const transferSelector = 'a9059cbb'
const paySelector = functionSelector('pay(address,address[],uint256[])')
const paidTopic = eventTopic('Paid(uint256)')

/**
 * Makes a transaction that pays, with calldata, logs and id (the hash of its raw data) as a wallet and a node make them.
 * Several payments in one transaction go through a contract, by default the router.
 */
export function makePayment(
  stamp: TransactionStamp,
  payments: readonly Payment[],
  options: PaymentOptions = {},
): SandboxTransaction {
  const { from = sandboxAddresses.payer, token = sandboxAddresses.usdt, fail } = options
  const through = options.through ?? (payments.length > 1 ? sandboxAddresses.router : undefined)
  // The contract's own event comes first, so that the transfers do not begin at log 0.
  const before = through ? [paidLog(through, payments.length)] : []
  const logs = [...before, ...payments.map(({ to, amount }) => transferLog(token, from, to, amount))]
  const happens = !fail && token === sandboxAddresses.usdt
  const contract = through ?? token
  const calldata = through ? payCalldata(token, payments) : transferCalldata(payments[0]!)
  return {
    ...contractCall(withUnknownField(stamp, options), { from, contract, calldata }),
    contract,
    result: fail ?? 'SUCCESS',
    logs: logsAfter(fail, logs),
    meant: {
      transfers: payments
        .map(({ to, amount }, i) => ({ logIndex: before.length + i, from, to, amount }))
        .filter(({ amount }) => happens && amount > 0n),
      undecodable: [],
    },
  }
}

/** Returns the stamp for a transaction that may have to have an unknown field. */
export function withUnknownField(
  stamp: TransactionStamp,
  { unknownField }: PaymentOptions,
): TransactionStamp {
  return unknownField ? { ...stamp, unknownFields: 1 } : stamp
}

/** Returns the logs that remain of a transaction that may fail. */
export function logsAfter(fail: PaymentOptions['fail'], logs: readonly NodeLog[]): readonly NodeLog[] {
  return fail && fail !== 'OUT_OF_TIME' ? [] : logs
}

function transferCalldata({ to, amount }: Payment): string {
  return transferSelector + addressWord(to) + amountWord(amount)
}

/** Encodes pay(token, recipients, amounts): three words, then the two lists, each with its length in front. */
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
    address: addressToHex(contract),
    topics: [paidTopic],
    data: amountWord(BigInt(count)),
  }
}

function madeAddress(name: string): TronAddress {
  return addressFromBytes(hash('sha256', `sandbox ${name}`, 'buffer').subarray(0, 20))
}

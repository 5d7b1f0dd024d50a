import { type UsdtUnits, usdt } from '../../base/money.ts'
import { addressToHex, type TronAddress } from '../address.ts'
import { describe, excerpt } from '../node/answer-fields.ts'
import { NodeError } from '../node/node-error.ts'
import { usdtUnitsMax } from '../transfer-log.ts'

const word = /^[0-9a-f]{64}$/

/** The body for triggerconstantcontract that asks for an address's balance. The call needs no signature and changes nothing. */
export function balanceQuestion(address: TronAddress, usdtContract: TronAddress): object {
  const holder = addressToHex(address)
  return {
    owner_address: `41${holder}`,
    contract_address: `41${addressToHex(usdtContract)}`,
    function_selector: 'balanceOf(address)',
    parameter: holder.padStart(64, '0'),
  }
}

/**
 * Reads the balance from the answer of triggerconstantcontract.
 * @throws NodeError for anything else, also for a failed call, which is answered with status 200.
 */
export function readBalance(answer: unknown): UsdtUnits {
  const { result, constant_result: words, transaction } = object(answer)
  const { result: succeeded, code, message } = object(result)
  if (succeeded !== true || code !== undefined || message !== undefined) {
    throw new NodeError('failed', `the call failed: ${text(code)} ${readMessage(message)}`.trim())
  }
  const ret = object(transaction).ret
  if (Array.isArray(ret) && ret.some(one => object(one).ret === 'FAILED')) {
    throw new NodeError('failed', 'the call failed in the contract')
  }
  const [first] = Array.isArray(words) ? words : []
  if (typeof first !== 'string' || !word.test(first)) {
    throw new NodeError('failed', `constant_result should be a word of 64 hex digits, got ${text(first)}`)
  }
  const balance = BigInt(`0x${first}`)
  if (balance > usdtUnitsMax)
    throw new NodeError('failed', `a balance of ${balance} is more than there can be`)
  return usdt(balance)
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Reads a sentence that java-tron sends in hex, or as it is. */
function readMessage(message: unknown): string {
  const plain =
    typeof message === 'string' && /^([0-9a-f]{2})+$/.test(message)
      ? Buffer.from(message, 'hex').toString('utf8')
      : message
  return text(plain)
}

function text(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? excerpt(value) : describe(value)
}

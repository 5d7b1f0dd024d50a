import { addressToBytes, type TronAddress } from '../address.ts'
import { NodeError } from '../node/node-error.ts'

const word = /^[0-9a-f]{64}$/
/** All the USDT there is stays far below. */
const balanceMax = 2n ** 63n - 1n

/** What triggerconstantcontract is asked for the balance of an address; nobody signs, nothing changes. */
export function balanceQuestion(address: TronAddress, usdtContract: TronAddress): object {
  const holder = addressToBytes(address).toString('hex')
  return {
    owner_address: `41${holder}`,
    contract_address: `41${addressToBytes(usdtContract).toString('hex')}`,
    function_selector: 'balanceOf(address)',
    parameter: holder.padStart(64, '0'),
  }
}

/**
 * Reads the answer, whatever it is.
 * @returns base units.
 * @throws NodeError also when the call failed, which comes with status 200.
 */
export function readBalance(answer: unknown): bigint {
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
  if (balance > balanceMax) throw new NodeError('failed', `a balance of ${balance} is more than there can be`)
  return balance
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Hex of a sentence, as java-tron sends it, or the sentence. */
function readMessage(message: unknown): string {
  const plain =
    typeof message === 'string' && /^([0-9a-f]{2})+$/.test(message)
      ? Buffer.from(message, 'hex').toString('utf8')
      : message
  return text(plain)
}

function text(value: unknown): string {
  return value === undefined
    ? ''
    : String(value)
        .slice(0, 200)
        .replace(/\p{Cc}+/gu, ' ')
}

import { usdt } from '../../base/money.ts'
import { MessageError, type MessageFields } from '../message-fields.ts'
import { usdtUnitsMax } from '../transfer-log.ts'
import { type SentTransaction, type TokenCall, triggerContractType } from './sent-block.ts'

const triggerType = Buffer.from('/protocol.TriggerSmartContract')
/** The first 4 bytes of keccak-256 of transfer(address,uint256) and transferFrom(address,address,uint256). */
const transferSelector = 0xa9059cbb
const transferFromSelector = 0x23b872dd
const selectorBytes = 4
const wordBytes = 32
const addressBytes = 21
const addressPrefix = 0x41

/**
 * Reads from a transaction's `raw_data` its contract's type and, when it calls the token itself, the transfer it asks for.
 *
 * These bytes are written by anybody who pays for a transaction, and java-tron reads them leniently. So what is not plain is
 * no call here: a field twice, of which java-tron takes the last, another wire type, more than one contract. It is not an
 * error either, since one transaction must not make its block unreadable.
 * @param token the contract's address: 20 bytes.
 */
export function readContract(
  raw: MessageFields,
  token: Buffer,
): Pick<SentTransaction, 'contractType' | 'call'> {
  try {
    const contract = onlyContract(raw)
    if (!contract) return { contractType: null, call: null }
    return { contractType: contract.type, call: contract.call ? readCall(contract.call, token) : null }
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    return { contractType: null, call: null }
  }
}

/** @see java-tron, protocol.Transaction.raw, field 11, and protocol.Transaction.Contract */
function onlyContract(raw: MessageFields): { type: number; call: MessageFields | null } | null {
  let contract: MessageFields | null = null
  while (raw.next()) {
    if (raw.number !== 11) continue
    if (contract) return null
    contract = raw.nested()
  }
  if (!contract) return null
  let type: number | null = null
  let parameter: MessageFields | null = null
  while (contract.next()) {
    if (contract.number === 1) type = once(type, contract.integer())
    else if (contract.number === 2) parameter = once(parameter, contract.nested())
  }
  const isCall = type === triggerContractType && parameter !== null
  return { type: type ?? 0, call: isCall ? callMessage(parameter!) : null }
}

/** Unpacks a google.protobuf.Any. @returns null when it says to hold another message: java-tron fails such a transaction. */
function callMessage(parameter: MessageFields): MessageFields | null {
  let isTrigger: boolean | null = null
  let value: MessageFields | null = null
  while (parameter.next()) {
    if (parameter.number === 1) isTrigger = once(isTrigger, endsWith(parameter, triggerType))
    else if (parameter.number === 2) value = once(value, parameter.nested())
  }
  return isTrigger ? value : null
}

/** @see java-tron, protocol.TriggerSmartContract */
function readCall(message: MessageFields, token: Buffer): TokenCall | null {
  let owner: Buffer | null = null
  let contract: Buffer | null = null
  let data: Buffer | null = null
  while (message.next()) {
    if (message.number === 1) owner = once(owner, message.bytes())
    else if (message.number === 2) {
      contract = once(contract, message.bytes())
      // Most calls of a block may be of other contracts.
      if (!isAddress(contract) || !isAt(contract, 1, token)) return null
    } else if (message.number === 4) data = once(data, message.bytes())
  }
  if (!owner || !isAddress(owner) || !contract || !data || data.length < selectorBytes) return null
  const selector = data.readUInt32BE(0)
  if (selector === transferSelector) return transferCall(data, owner.toString('hex', 1), 0)
  if (selector !== transferFromSelector || data.length < selectorBytes + wordBytes) return null
  return transferCall(data, addressWord(data, 0), 1)
}

/** @param index of the recipient's word; the amount is the next. What follows is not read, by the contract neither. */
function transferCall(data: Buffer, fromHex: string, index: number): TokenCall | null {
  if (data.length < selectorBytes + (index + 2) * wordBytes) return null
  const amount = amountWord(data, index + 1)
  return amount === null ? null : { fromHex, toHex: addressWord(data, index), amount: usdt(amount) }
}

/** The last 20 bytes of a word: some wallets write 41 in front of them, and the contract does not read it. */
function addressWord(data: Buffer, index: number): string {
  const end = selectorBytes + (index + 1) * wordBytes
  return data.toString('hex', end - 20, end)
}

function amountWord(data: Buffer, index: number): bigint | null {
  const start = selectorBytes + index * wordBytes
  for (let i = start; i < start + wordBytes - 8; i++) if (data[i] !== 0) return null
  const amount = data.readBigUInt64BE(start + wordBytes - 8)
  return amount > usdtUnitsMax ? null : amount
}

function isAddress(bytes: Buffer): boolean {
  return bytes.length === addressBytes && bytes[0] === addressPrefix
}

function endsWith({ buffer, start, end }: MessageFields, suffix: Buffer): boolean {
  return end - start >= suffix.length && isAt(buffer, end - suffix.length, suffix)
}

/** As `Buffer.compare` says, without the call out of JavaScript, which takes longer than some tens of bytes. */
function isAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}

function once<T>(before: T | null, value: T): T {
  if (before !== null) throw new MessageError('a field comes twice')
  return value
}

import { addressFromHex, parseTronAddress, type TronAddress } from '../../tron/address.ts'
import { contractCall, functionSelector } from '../chain/contract-call.ts'
import { sandboxAddresses } from '../chain/sandbox-transactions.ts'
import { readTokenEvent } from '../chain/token-event.ts'
import { amountWord } from '../chain/transaction-facts.ts'
import type { Call, Endpoint } from './node-door.ts'

const balanceOf = 'balanceOf(address)'
const wordPattern = /^0{24}([0-9a-f]{40})$/
const noContract =
  'class org.tron.core.exception.ContractValidateException : No contract or not a valid smart contract'

/**
 * triggerconstantcontract for balanceOf(address) of USDT and of the lookalike: incoming less outgoing transfers, in the
 * blocks that are kept, and not below 0. So the payer's balance is 0, although its funds are unlimited.
 */
export const constantCallEndpoints: readonly Endpoint[] = (['wallet', 'walletsolidity'] as const).map(
  name => ({
    method: ['GET', 'POST'],
    url: `/${name}/triggerconstantcontract`,
    surface: name === 'wallet' ? 'head' : 'solid',
    nothing: {},
    answer: (call: Call) => {
      const { parameters } = call
      const token = readAccount(parameters.contract_address)
      const from = readAccount(parameters.owner_address)
      const argument = `${parameters.parameter ?? ''}`
      const holder = wordPattern.exec(argument)?.[1]
      const known = token === sandboxAddresses.usdt || token === sandboxAddresses.lookalike
      if (!token || !from || !known || parameters.function_selector !== balanceOf || !holder) {
        return refused(noContract)
      }
      const height = (name === 'wallet' ? call.view.head : call.view.solid).height
      const units = balance(call, { holder: addressOf(holder), token, height })
      const calldata = functionSelector(balanceOf) + argument
      const stamp = { refBlock: call.view.head, timeMs: call.view.head.timeMs, seed: '', unknownFields: 0 }
      const { id, raw } = contractCall(stamp, { from, contract: token, calldata })
      return {
        result: { result: true },
        energy_used: 935,
        constant_result: [amountWord(units)],
        transaction: { ret: [{}], visible: false, txID: id, raw_data: raw.data, raw_data_hex: raw.hex },
      }
    },
  }),
)

function balance(
  { chain, effects }: Call,
  { holder, token, height }: { holder: TronAddress; token: TronAddress; height: number },
): bigint {
  let units = 0n
  for (const block of chain.blocksOf(holder)) {
    if (block.height > height) break
    for (const { result, logs } of block.transactions) {
      if (result !== 'SUCCESS') continue
      for (const log of logs) {
        const event = readTokenEvent(log)
        if (event?.type !== 'Transfer' || event.token !== token) continue
        if (event.to === holder) units += event.value
        if (event.from === holder) units -= event.value
      }
    }
  }
  const held = units > 0n ? units : 0n
  return effects.reduce((units, effect) => effect.balance?.(holder, units) ?? units, held)
}

/** Reads an address in base58 or in hex with 41 in front. Both are accepted, with and without `visible`. */
export function readAccount(text: unknown): TronAddress | null {
  const hex = /^41([0-9a-f]{40})$/.exec(`${text}`)?.[1]
  return hex === undefined ? parseTronAddress(`${text}`) : addressOf(hex)
}

function addressOf(hex: string): TronAddress {
  return addressFromHex(hex)
}

function refused(message: string): object {
  return { result: { code: 'OTHER_ERROR', message: Buffer.from(message).toString('hex') } }
}

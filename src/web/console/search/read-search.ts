import type { UsdtUnits } from '../../../base/money.ts'
import { readPayToken } from '../../../orders/pay-link.ts'
import { addressFromHex, parseTronAddress, type TronAddress } from '../../../tron/address.ts'
import { plainTyped, readTypedAmount } from '../parts/typed-amount.ts'

/** What a typed text may be. A text is often several of these: `100` is an amount, and may be a user's id. */
export interface SearchedFor {
  /** The merchant's id of an order, as typed. */
  orderid?: string
  /** The merchant's id of a user, as typed. */
  localusermark?: string
  ordersn?: string
  address?: TronAddress
  /** It has the form of an address and is none: its letters lost their case, or a character is wrong. */
  wrongAddress?: 'case' | 'checksum'
  /** 64 lower-case hex digits. */
  txid?: string
  callbackKey?: string
  /** Of the payer's page, from its link. */
  payToken?: Buffer
  /** Above 0. */
  amount?: UsdtUnits
}

/** The longest text that is read. An explorer's URL is far shorter. */
const lengthMax = 2_048
const orderidMax = 50
const localusermarkMax = 64

/** Reads a typed or pasted text, of any length and content. Ids are found inside a URL or a sentence, too. */
export function readSearch(text: string): SearchedFor {
  const typed = text.slice(0, lengthMax)
  const name = typed.trim()
  const plain = plainTyped(typed)
  return {
    ...(isName(name, orderidMax) && { orderid: name }),
    ...(isName(name, localusermarkMax) && { localusermark: name }),
    ...found('ordersn', /(?<![0-9a-z])cz-[0-9a-f]{32}(?![0-9a-f])/i.exec(plain)?.[0].toLowerCase()),
    ...found(
      'callbackKey',
      /(?<![0-9a-z])(?:cb|dp)_[0-9a-f]{32}(?![0-9a-f])/i.exec(plain)?.[0].toLowerCase(),
    ),
    ...found('txid', /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/i.exec(plain)?.[0].toLowerCase()),
    ...found('payToken', readPayToken(/\/pay\/([\w-]{22})(?![\w-])/.exec(plain)?.[1] ?? '')),
    ...found('amount', readTypedAmount(plain)),
    ...readAddress(plain),
  }
}

function found<K extends keyof SearchedFor>(
  kind: K,
  value: SearchedFor[K] | null,
): Pick<SearchedFor, K> | object {
  return value === undefined || value === null ? {} : { [kind]: value }
}

/** Whether a merchant can have given something that name: the parameters of the API allow no more. */
function isName(text: string, charactersMax: number): boolean {
  return text !== '' && [...text].length <= charactersMax && !/[\p{Cc}\p{Cs}]/u.test(text)
}

function readAddress(plain: string): Pick<SearchedFor, 'address' | 'wrongAddress'> {
  const hex = /^(?:0x)?(?:41)?([0-9a-f]{40})$/i.exec(plain)?.[1]
  if (hex !== undefined) return { address: addressFromHex(hex.toLowerCase()) }
  for (const [text] of plain.matchAll(/(?<![0-9A-Za-z])T[0-9A-Za-z]{33}(?![0-9A-Za-z])/g)) {
    const address = parseTronAddress(text)
    if (address) return { address }
  }
  if (!/^T[0-9a-z]{33}$/i.test(plain)) return {}
  const hasOneCase = plain === plain.toLowerCase() || plain === plain.toUpperCase()
  return { wrongAddress: hasOneCase ? 'case' : 'checksum' }
}

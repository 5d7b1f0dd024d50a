import { parseUsdt, type UsdtUnits } from '../../../base/money.ts'

/**
 * Makes plain text of what was typed or pasted. Digits as a Chinese keyboard writes them are digits, and chats put invisible
 * characters into what is copied from them.
 */
export function plainTyped(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim()
}

const amountTyped = /^(?:usdt|[$₮])?\s*(\d[\d,' ]*(?:\.\d+)?)\s*(?:usdt|[u$₮])?$/i
const withThousands = /^\d{1,3}([,' ])\d{3}(?:\1\d{3})*(?:\.\d+)?$/

/**
 * Reads an amount with or without its unit and separators of thousands: `12.5`, `12.50 USDT`, `1,000.00`, `100U`.
 * @param plain made by `plainTyped`.
 */
export function readTypedAmount(plain: string): UsdtUnits | undefined {
  const digits = amountTyped.exec(plain)?.[1]?.trim()
  if (digits === undefined) return undefined
  const number = withThousands.test(digits) ? digits.replace(/[,' ]/g, '') : digits
  // Zeros at the end say nothing, however many there are.
  const amount = parseUsdt(number.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, ''))
  return amount === null || amount === 0n ? undefined : amount
}

/** USDT in base units: 1 USDT = 1 000 000. Never a float: decimals exist only as text, in requests and answers. */
export type UsdtUnits = bigint & { readonly unit: 'usdt-base' }

/** The callback's legacy unit: 1/10000 USDT, 100 base units. */
export type LegacyUnits = bigint & { readonly unit: 'usdt-1/10000' }

const decimals = 6
const amountPattern = /^(0|[1-9]\d{0,11})(?:\.(\d{1,6}))?$/

/** Marks a bigint as base units. `usdt` and `legacy` are the only casts of amounts. */
export function usdt(units: bigint): UsdtUnits {
  return units as UsdtUnits
}

/** Marks a bigint as 1/10000 USDT. */
export function legacy(units: bigint): LegacyUnits {
  return units as LegacyUnits
}

/**
 * Reads a decimal amount of USDT, at most 12 digits before the point and 6 after it.
 * @returns base units, 0 included; null when the text is anything else (sign, exponent, blank, other digits).
 */
export function parseUsdt(text: string): UsdtUnits | null {
  const match = amountPattern.exec(text)
  if (!match) return null
  return usdt(BigInt(match[1]! + (match[2] ?? '').padEnd(decimals, '0')))
}

/** Reads an amount that may be below 0: "-1.5". @returns as `parseUsdt`. */
export function parseSignedUsdt(text: string): UsdtUnits | null {
  if (!text.startsWith('-')) return parseUsdt(text)
  const units = parseUsdt(text.slice(1))
  return units && usdt(-units)
}

/** Writes base units as decimal USDT in its shortest form: "3", "3.00005", of a correction "-1". */
export function formatUsdt(units: bigint): string {
  if (units < 0n) return `-${formatUsdt(-units)}`
  const digits = units.toString().padStart(decimals + 1, '0')
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  return digits.slice(0, -decimals) + (fraction && `.${fraction}`)
}

/** Rounds an amount down to 1/10000 USDT, the unit of callbacks. */
export function wholeLegacyUnits(units: UsdtUnits): LegacyUnits {
  return legacy(units / 100n)
}

/** Converts 1/10000 USDT to base units. */
export function fromLegacyUnits(units: LegacyUnits): UsdtUnits {
  return usdt(units * 100n)
}

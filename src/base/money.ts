/** USDT in base units: 1 USDT = 1 000 000. Never a float; decimals exist only as text at the edges. */
export type UsdtUnits = bigint & { readonly unit: 'usdt-base' }

/** The callback's legacy unit: 1/10000 USDT, 100 base units. */
export type LegacyUnits = bigint & { readonly unit: 'usdt-1/10000' }

const decimals = 6
const amountPattern = /^(0|[1-9]\d{0,11})(?:\.(\d{1,6}))?$/

/** Names a bigint that is known to count base units. */
export function usdtUnits(units: bigint): UsdtUnits {
  return units as UsdtUnits
}

/**
 * Reads a decimal amount of USDT, at most 12 digits before the point and 6 behind it.
 * @returns base units, 0 included; null when the text is anything else (sign, exponent, blank, other digits).
 */
export function parseUsdt(text: string): UsdtUnits | null {
  const match = amountPattern.exec(text)
  if (!match) return null
  return usdtUnits(BigInt(match[1]! + (match[2] ?? '').padEnd(decimals, '0')))
}

/** Writes base units as decimal USDT in its shortest form: "3", "3.00005". */
export function formatUsdt(units: bigint): string {
  const digits = units.toString().padStart(decimals + 1, '0')
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  return digits.slice(0, -decimals) + (fraction && `.${fraction}`)
}

/** The whole 1/10000ths in an amount: what a callback can announce of it. */
export function wholeLegacyUnits(units: UsdtUnits): LegacyUnits {
  return (units / 100n) as LegacyUnits
}

/** Base units of an amount given in 1/10000 USDT. */
export function fromLegacyUnits(units: LegacyUnits): UsdtUnits {
  return usdtUnits(units * 100n)
}

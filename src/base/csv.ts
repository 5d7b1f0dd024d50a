/** A value of a cell. Amounts are decimal text, so that no float ever holds money. */
export type Cell = string | number | bigint | boolean | null

/** What a spreadsheet takes for the beginning of a formula; the wide forms too, in Chinese and Japanese ones. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/

/** Decimals below 0, such as a correction's amount, begin with the sign of a formula and are none. */
const decimal = /^-\d+(\.\d+)?$/

/** Writes one line as RFC 4180 has it. A text that a spreadsheet would run as a formula gets a `'` in front. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(cell: Cell): string {
  if (cell === null) return ''
  // A minus in front of a number is no formula.
  if (typeof cell !== 'string') return String(cell)
  const text = formula.test(cell) && !decimal.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Writes a time as exports do: in a zone, and in UTC. null: nothing. */
export function csvTimes(at: Date | null, zone: string): { local: Cell; utc: Cell } {
  if (at === null) return { local: null, utc: null }
  // Swedes write dates as ISO 8601 does.
  const local = at.toLocaleString('sv-SE', { timeZone: zone })
  return { local, utc: `${at.toISOString().slice(0, 19)}Z` }
}

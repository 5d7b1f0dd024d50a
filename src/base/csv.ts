/** A value of a cell. Amounts are decimal text, so that no float ever holds money. */
export type Cell = string | number | bigint | boolean | null

/** What a spreadsheet takes for the beginning of a formula; the wide forms too, in Chinese and Japanese ones. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/

/** Writes one line as RFC 4180 has it. A text that a spreadsheet would run as a formula gets a `'` in front. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(cell: Cell): string {
  if (cell === null) return ''
  // A minus in front of a number is no formula.
  if (typeof cell !== 'string') return String(cell)
  const text = formula.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

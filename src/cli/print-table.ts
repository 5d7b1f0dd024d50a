/** Prints rows as a table, as `asTable` writes it. */
export function printTable(rows: readonly object[]): void {
  console.log(asTable(rows))
}

/**
 * Writes rows as a table: a line of names, then a line for each row. Columns are two spaces apart, and those of numbers are
 * aligned to the right. Characters that would move the cursor or turn the direction of text are escaped.
 * @param rows objects; each column is a property of at least one of them, in the order in which they first appear.
 */
export function asTable(rows: readonly object[]): string {
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const columns = names.map(name => {
    const cells = rows.map(row => cellOf((row as Record<string, unknown>)[name]))
    return alignColumn(cellOf(name), cells)
  })
  return ['', ...rows]
    .map((_, i) =>
      columns
        .map(column => column[i])
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function alignColumn(name: string, cells: readonly string[]): string[] {
  const lines = [name, ...cells]
  const width = lines.reduce((widest, text) => Math.max(widest, columnsOf(text)), 0)
  const isNumeric = cells.every(cell => cell === '' || /^-?\d+(\.\d+)?$/.test(cell))
  return lines.map(text => {
    const space = ' '.repeat(width - columnsOf(text))
    return isNumeric ? space + text : text + space
  })
}

// Controls, formats (text from right to left, zero width), halves of surrogate pairs, and separators of lines.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return String(value).replace(unprintable, found => `\\u{${found.codePointAt(0)!.toString(16)}}`)
}

const combining = /[\p{Mn}\p{Me}]/u
const halfwidth = /[\uff61-\uffdc]/u
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u

/** The columns that a terminal gives to a text: two to an East Asian wide character and most emoji (UAX #11). */
function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) {
    if (combining.test(character)) continue
    columns += wide.test(character) && !halfwidth.test(character) ? 2 : 1
  }
  return columns
}

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Cell, csvLine } from '../base/csv.ts'

/** What a spreadsheet needs in front to read UTF-8 as such. */
const byteOrderMark = '\ufeff'

/**
 * Prints pages of rows as CSV, each as soon as it has been read and only as fast as they are taken. When whoever reads has had
 * enough (`| head`), it stops.
 */
export async function printCsv(
  columns: readonly string[],
  pages: AsyncIterable<readonly Cell[][]>,
  { bom = false }: { bom?: boolean | undefined } = {},
): Promise<void> {
  async function* lines() {
    yield (bom ? byteOrderMark : '') + csvLine(columns)
    for await (const page of pages) yield page.map(csvLine).join('')
  }
  try {
    await pipeline(Readable.from(lines(), { highWaterMark: 1 }), process.stdout, { end: false })
  } catch (error) {
    if ((error as { code?: string }).code !== 'EPIPE') throw error
  }
}

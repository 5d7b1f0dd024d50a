import assert from 'node:assert/strict'
import type { TestVisitor } from './console-under-test.ts'

/** Downloads a file of the console, none of whose cells holds a comma or a quote. @returns its lines by the names of the columns. */
export async function downloadCsv(visit: TestVisitor, path: string): Promise<Record<string, string>[]> {
  const { status, text, headers } = await visit.get(path)
  assert.equal(status, 200, path)
  assert.match(`${headers['content-type']}`, /^text\/csv/)
  assert.match(`${headers['content-disposition']}`, /^attachment; filename="\w+\.csv"$/)
  assert(text.startsWith('\ufeff'))
  const [header, ...lines] = text.slice(1).trimEnd().split('\r\n')
  const names = header!.split(',')
  return lines.map(line => {
    const cells = line.split(',')
    assert.equal(cells.length, names.length, line)
    return Object.fromEntries(names.map((name, i) => [name, cells[i]!]))
  })
}

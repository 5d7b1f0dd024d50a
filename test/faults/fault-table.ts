import { isBroken, type RowResult } from './fault-row.ts'

const heads = ['row', 'fault', 'injected', 'payments', 'lost', 'doubled', 'sent again', 'recovered', '']
/** How wide each column is; the fault's is as wide as it must be. */
const widths = [4, 0, 8, 8, 4, 7, 10, 16]

/**
 * Lines of the table, in Markdown. Lost: payments, orders and announcements. Doubled: credits, and money booked twice.
 * Sent again: callbacks sent once more after they had been acknowledged, and how many of these no fault explains.
 * Recovered: the median and the longest, in seconds.
 */
export function tableHead(faultWidth: number): string[] {
  return [
    line(heads, faultWidth),
    line(
      heads.map(() => '---'),
      faultWidth,
    ),
  ]
}

export function tableLine(result: RowResult, faultWidth: number): string {
  const { row, injected, payments, findings, recoveryMs, notes } = result
  const { lost, doubled, sentAgain, unexcused } = findings
  const again = unexcused.length > 0 ? `${sentAgain} (${unexcused.length}!)` : `${sentAgain}`
  const figures = [injected, payments, lost.length, doubled.length].map(String)
  const remarks = [...(isBroken(result) ? ['BROKEN'] : []), ...notes.slice(-1)].join(': ')
  return line([row.id, row.what, ...figures, again, recovered(recoveryMs), remarks], faultWidth)
}

/** The sums of a run, as its last line. */
export function tableSum(results: readonly RowResult[]): string {
  const sum = (of: (result: RowResult) => number) => results.reduce((total, result) => total + of(result), 0)
  const broken = results.filter(isBroken).length
  const starts = results.flatMap(result => result.startMs).sort((a, b) => a - b)
  return (
    `${results.length} rows, ${sum(r => r.injected)} faults, ${sum(r => r.payments)} payments: ` +
    `${sum(r => r.findings.lost.length)} lost, ${sum(r => r.findings.doubled.length)} doubled, ` +
    `${sum(r => r.findings.sentAgain)} callbacks sent again under their key, ` +
    `${sum(r => r.findings.unexcused.length)} of them beyond the bound; ${broken} rows broken. ` +
    `A process took ${((starts[starts.length >> 1] ?? 0) / 1000).toFixed(1)} s to start (median), which is part of each recovery from a kill.`
  )
}

/** What is wrong with a row, in sentences, a bounded number of each kind. */
export function complaints({ findings }: RowResult): string[] {
  const { lost, doubled, unexcused, wrong } = findings
  return [lost, doubled, unexcused, wrong].flatMap(kind =>
    kind.length > 8 ? [...kind.slice(0, 8), `and ${kind.length - 8} more`] : kind,
  )
}

function recovered(ms: readonly number[]): string {
  if (ms.length === 0) return '-'
  const sorted = ms.toSorted((a, b) => a - b)
  const seconds = (at: number) => (sorted[at]! / 1000).toFixed(1)
  return sorted.length === 1
    ? `${seconds(0)} s`
    : `${seconds(sorted.length >> 1)} / ${seconds(sorted.length - 1)} s`
}

function line(cells: readonly string[], faultWidth: number): string {
  const padded = cells.map((cell, i) => cell.padEnd(i === 1 ? faultWidth : (widths[i] ?? 0)))
  return `| ${padded.join(' | ').trimEnd()} |`
}

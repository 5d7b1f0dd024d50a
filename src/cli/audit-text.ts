import { type CheckResult, isClean } from '../audit/audit-check.ts'
import type { AuditReport } from '../audit/audit-gateway.ts'
import { addUp, type MerchantSums } from '../audit/merchant-sums.ts'
import type { OpenFigures } from '../audit/open-figures.ts'
import { formatUsdt, fromLegacyUnits, type UsdtUnits } from '../base/money.ts'

/** Formats an audit for people: sums by merchant, what is open, then each check with OK or its first differences. */
export function auditAsText({ merchants, open, checks }: AuditReport): string {
  const rows = merchants.map(sums => [sums.appid, sums.name, ...figuresOf(sums)])
  const total = merchants.length > 1 ? [['all', '', ...figuresOf(addUp(merchants))]] : []
  const differing = checks.filter(({ differences }) => differences > 0).length
  return [
    ...asColumns([header, ...rows, ...total], 2),
    '',
    ...asColumns(openLines(open), 2),
    '',
    ...checks.flatMap(asLines),
    '',
    isClean(checks)
      ? `clean: all ${checks.length} checks hold`
      : `${differing} of ${checks.length} checks differ`,
  ].join('\n')
}

/** Formats an audit for programs: money in decimal USDT as text, counts as numbers. */
export function auditAsJson({ merchants, open, checks }: AuditReport): string {
  const { cursor, trail, ...figures } = open
  const report = {
    clean: isClean(checks),
    merchants: merchants.map(sums => ({ appid: sums.appid, name: sums.name, ...asUsdt(sums) })),
    all: asUsdt(addUp(merchants)),
    open: {
      cursor,
      trail: { events: Number(trail.events), hash: trail.hash },
      ...Object.fromEntries(
        Object.entries(figures).map(([name, figure]) => [
          name,
          typeof figure === 'bigint'
            ? Number(figure)
            : { transfers: Number(figure.transfers), usdt: formatUsdt(figure.units) },
        ]),
      ),
    },
    checks,
  }
  return JSON.stringify(report, null, 2)
}

const header = [
  ...[
    'appid',
    'name',
    'orders',
    'transfers',
    'arrived',
    'waiting',
    'rejected',
    'settled',
    'credited',
    'deposited',
  ],
  ...['received', 'refunded', 'corrected', 'announced', 'acknowledged', 'due', 'exhausted'],
]

type Sums = Omit<MerchantSums, 'appid' | 'name'>

function asUsdt(sums: Sums) {
  return {
    orders: Number(sums.orders),
    transfers: Number(sums.transfers),
    arrived: formatUsdt(sums.arrived),
    waiting: formatUsdt(sums.waiting),
    rejected: formatUsdt(sums.rejected),
    settled: formatUsdt(sums.settled),
    credited: formatUsdt(sums.credited),
    deposited: formatUsdt(sums.deposited),
    received: formatUsdt(sums.received),
    refunded: formatUsdt(sums.refunded),
    corrected: formatUsdt(sums.corrected),
    announced: formatUsdt(fromLegacyUnits(sums.announced)),
    acknowledged: formatUsdt(fromLegacyUnits(sums.acknowledged)),
    due: Number(sums.due),
    exhausted: Number(sums.exhausted),
  }
}

function figuresOf(sums: Sums): string[] {
  return Object.values(asUsdt(sums)).map(String)
}

function openLines({ cursor, trail, ...open }: OpenFigures): string[][] {
  const money = ({ transfers, units }: { transfers: bigint; units: UsdtUnits }) =>
    `${transfers} transfers, ${formatUsdt(units)} USDT`
  return [
    ['cursor', cursor ? cursorText(cursor) : 'none: nothing is watched yet'],
    ['unclaimed', money(open.unclaimed)],
    ['held', money(open.held)],
    ['quarantined', money(open.quarantined)],
    ['behind these', money(open.behind)],
    ['rejected', `${money(open.rejected)}; ${open.rejectedLogs} logs (report.rejections)`],
    ['settled outside', `${money(open.settledOutside)} (report.money_marks)`],
    ['without proof', `${money(open.unproved)}; ${open.unverifiedBlocks} blocks unverified`],
    ['parked', `${open.parkedBlocks} blocks that no node gives (report.parked_blocks)`],
    ['quarantine', `${open.quarantine} (gateway quarantine list)`],
    ['discrepancies', `${open.discrepancies} (gateway discrepancies list)`],
    ['callbacks', `${open.heldCallbacks} held for disabled merchants, ${open.exhaustedCallbacks} exhausted`],
    ['secrets', `${open.unboundSecrets} not bound to their rows (gateway reseal)`],
    ['audit events', `${trail.events} in the chain, the last with the hash ${trail.hash}`],
  ]
}

function cursorText({ network, height, time, from }: NonNullable<OpenFigures['cursor']>): string {
  const blocks = from === null ? 'no block recorded yet' : `blocks from ${from} on are recorded`
  return `${network} at ${height}, ${time.toISOString()}; ${blocks}`
}

function asLines({ name, holds, differences, first }: CheckResult): string[] {
  if (differences === 0) return [`OK    ${name.padEnd(nameWidth)}${holds}`]
  const more = differences > first.length ? [`        and ${differences - first.length} more`] : []
  return [
    `DIFF  ${name.padEnd(nameWidth)}${holds}: ${differences} ${differences === 1 ? 'does' : 'do'} not`,
    ...first.map(
      ({ appid, subject, detail }) => `        ${appid === null ? '' : `${appid} `}${subject}: ${detail}`,
    ),
    ...more,
  ]
}

const nameWidth = 20

/** Pads cells into columns. @param leftCount the first columns, which are aligned to the left; the others to the right. */
function asColumns(rows: readonly string[][], leftCount: number): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map(row => row[i]!.length)))
  return rows.map(row =>
    row
      .map((cell, i) => (i < leftCount ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
}

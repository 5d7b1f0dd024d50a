import { unixSeconds } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { MerchantId } from '../base/ids.ts'
import { formatUsdt, fromLegacyUnits, legacy, usdt } from '../base/money.ts'
import type { Pool } from '../db/pool.ts'
import { openMerchantTurns } from '../requests/merchant-turns.ts'
import {
  marksMax,
  readStatement,
  type StatementDay,
  type StatementMark,
  type StatementSums,
} from './statement-store.ts'

/** Makes a merchant's statement. @throws GatewayError bad_parameter, rate_limited, unavailable. */
export type MakeStatement = (request: {
  merchantId: MerchantId
  from: Date
  to: Date
}) => Promise<ReturnType<typeof showStatement>>

const dayMs = 86_400_000
const daysMax = 92

/**
 * Opens the making of statements. A statement may read months of rows, so a merchant gets one at a time.
 * @param reads the pool for reads: other connections are needed for orders.
 */
export function openStatements(reads: Pool): MakeStatement {
  const takeTurn = openMerchantTurns({
    name: 'statement',
    waitingPerMerchant: 0,
    whenTooLong: 'ask for fewer days',
  })
  return async request => {
    const { merchantId, from, to } = request
    if (from >= to) throw new GatewayError('bad_parameter', 'to: must be later than from')
    if (to.getTime() - from.getTime() > daysMax * dayMs)
      throw new GatewayError('bad_parameter', `to: at most ${daysMax} days after from`)
    const sums = await takeTurn(merchantId, () => readStatement(reads, merchantId, from, to))
    return showStatement(sums, from, to)
  }
}

/** Formats a statement for the wire: every UTC day of the period, empty days included. */
function showStatement({ days, unclaimed, marks }: StatementSums, from: Date, to: Date) {
  const byDay = new Map(days.map(day => [day.day, day]))
  const first = Math.floor(from.getTime() / dayMs)
  const last = Math.floor((to.getTime() - 1) / dayMs)
  return {
    days: Array.from({ length: last - first + 1 }, (_, i) => {
      const day = new Date((first + i) * dayMs).toISOString().slice(0, 10)
      return showDay(byDay.get(day) ?? { ...emptyDay, day })
    }),
    unclaimed: { transfers: Number(unclaimed.transfers), amount: formatUsdt(unclaimed.units) },
    marks: marks.slice(0, marksMax).map(showMark),
    more_marks: marks.length > marksMax,
  }
}

const emptyDay = {
  orders: 0n,
  transfers: 0n,
  received: usdt(0n),
  announced: legacy(0n),
  acknowledged: legacy(0n),
  deposits: 0n,
  depositsAnnounced: legacy(0n),
  depositsAcknowledged: legacy(0n),
  refunded: usdt(0n),
  corrected: usdt(0n),
}

function showDay({ day, orders, transfers, received, announced, acknowledged, ...other }: StatementDay) {
  return {
    day,
    orders: Number(orders),
    transfers: Number(transfers),
    received: formatUsdt(received),
    announced: formatUsdt(fromLegacyUnits(announced)),
    acknowledged: formatUsdt(fromLegacyUnits(acknowledged)),
    deposits: Number(other.deposits),
    deposits_announced: formatUsdt(fromLegacyUnits(other.depositsAnnounced)),
    deposits_acknowledged: formatUsdt(fromLegacyUnits(other.depositsAcknowledged)),
    refunded: formatUsdt(other.refunded),
    corrected: formatUsdt(other.corrected),
  }
}

function showMark({
  id,
  kind,
  createdAt,
  amount,
  transferTxid,
  logIndex,
  withdraws,
  ...mark
}: StatementMark) {
  return {
    ...{ id: Number(id), kind, time: unixSeconds(createdAt), amount: formatUsdt(amount) },
    ...{ txid: mark.txid, orderid: mark.orderid, transfer_txid: transferTxid, log_index: logIndex },
    ...{ withdraws: withdraws === null ? null : Number(withdraws), reason: mark.reason },
  }
}

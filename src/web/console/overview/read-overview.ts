import { raisedAlarms } from '../../../alarms/alarm-store.ts'
import { hasLeader } from '../../../alarms/process-store.ts'
import { readMoneyDays } from '../../../credits/money-day-store.ts'
import { readStatus } from '../../../credits/read-status.ts'
import { rows } from '../../../db/pool.ts'
import { tookTooLong } from '../../../db/read-pool.ts'
import type { KeptReadings } from '../parts/kept-readings.ts'
import { can, type Page, scopeOf, viewerOf, wordsOf } from '../parts/page.ts'
import { firstDay } from './money-days.ts'
import { needsOf } from './overview-needs.ts'
import {
  countOrders,
  countWithoutFactor,
  readDeliveries,
  readGatewayTroubles,
  readOwed,
  readWaitingMoney,
} from './overview-store.ts'
import { overviewWords } from './overview-words.ts'

/** Reads all parts at once. One that takes too long is null, and the page says so instead of waiting. */
export async function readOverview(page: Page, kept: KeptReadings) {
  const { reads } = page.context
  const merchantId = scopeOf(page)
  const isGateway = merchantId === null
  const scope = merchantId ?? 'all'
  const from = firstDay(page.now)
  const keep = <T>(name: string, work: () => Promise<T>) => kept.read(`${name} ${scope}`, work)
  const [
    money,
    orders,
    deliveries,
    waiting,
    status,
    owed,
    withoutFactor,
    disabled,
    gateway,
    alarms,
    leads,
    merchants,
  ] = await Promise.all([
    keep(`money ${from.getTime()}`, () => readMoneyDays(reads, merchantId, from)),
    keep('orders', () => countOrders(reads, merchantId)),
    keep('deliveries', () => readDeliveries(reads, merchantId)),
    keep('waiting', () => readWaitingMoney(reads, merchantId)),
    isGateway ? keep('status', () => readStatus(reads, new Date())) : null,
    inTime(readOwed(reads, merchantId)),
    can(page, 'people') ? inTime(countWithoutFactor(reads, merchantId)) : null,
    merchantId !== null && isDisabled(page, merchantId),
    isGateway ? inTime(readGatewayTroubles(reads)) : null,
    isGateway ? raisedAlarms(reads) : [],
    isGateway ? hasLeader(reads) : true,
    isGateway ? rows(reads, `select from merchant limit 1`) : null,
  ])
  const { user } = viewerOf(page)
  const ownFactor = user.hasTotp || user.passkeys > 0
  // The viewer is told of their own.
  const isCounted = !ownFactor && withoutFactor !== null && withoutFactor > 0
  const needs = needsOf(page, wordsOf(page, overviewWords), {
    ...{ owed, ownFactor, disabled, gateway, alarms, leads },
    noMerchants: merchants?.length === 0,
    waiting: waiting?.value ?? null,
    status: status?.value ?? null,
    withoutFactor: isCounted ? withoutFactor - 1 : withoutFactor,
  })
  return { money, orders, deliveries, status, owed, isGateway, needs }
}

async function isDisabled(page: Page, merchantId: bigint): Promise<boolean> {
  const [found] = await rows<{ disabled: boolean }>(
    page.context.reads,
    `select disabled_at is not null as disabled from merchant where id = $1`,
    [merchantId],
  )
  return found?.disabled ?? false
}

function inTime<T>(reading: Promise<T>): Promise<T | null> {
  return reading.catch(error => {
    if (tookTooLong(error)) return null
    throw error
  })
}

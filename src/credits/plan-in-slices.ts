import type { DepositAddressId } from '../base/ids.ts'
import type { Tx } from '../db/pool.ts'
import { type PayableAsked, readPayableOrders, writeOrderTotals } from '../orders/order-totals-store.ts'
import { inChainOrder } from '../transfers/transfer.ts'
import type { DepositingAddress } from './deposit-store.ts'
import type { PendingTransfer } from './pending-transfer.ts'
import { type PlannedCredit, type PlannedDeposit, planCredits } from './plan-credits.ts'

/**
 * How many transfers of one address are planned with one reading. Each may need as many candidates as transfers came before
 * it in its slice, so what is read grows with the square of this and not with the square of a busy address's transfers.
 */
const sliceMax = 32

/**
 * Plans what each transfer pays, as `planCredits` would with every order of their addresses, and writes the orders' totals. It
 * takes the first transfers of each address, reads the orders that they may pay, plans them, and goes on with the next ones.
 * A single round is usual: few addresses are paid more than 32 times in one batch.
 * @param transfers pending, at one or many addresses. On each address they are taken in chain order.
 * @param depositing as `planCredits` takes them.
 * @returns credits, deposits and unclaimed transfers, each in chain order.
 */
export async function planInSlices(
  tx: Tx,
  transfers: readonly PendingTransfer[],
  until: Date,
  graceMs: number,
  depositing: ReadonlyMap<DepositAddressId, DepositingAddress>,
): Promise<{ credits: PlannedCredit[]; deposits: PlannedDeposit[]; unclaimed: PendingTransfer[] }> {
  let left = byAddress(transfers)
  const credits: PlannedCredit[] = []
  const deposits: PlannedDeposit[] = []
  const unclaimed: PendingTransfer[] = []
  while (left.length > 0) {
    const slice = left.map(waiting => waiting.slice(0, sliceMax))
    const orders = await readPayableOrders(
      tx,
      slice.flatMap(some => askedFor(some, graceMs)),
    )
    const planned = planCredits(slice.flat(), orders, until, graceMs, depositing)
    if (planned.credits.length > 0)
      await writeOrderTotals(tx, [...new Set(planned.credits.map(one => one.order))])
    credits.push(...planned.credits)
    deposits.push(...planned.deposits)
    unclaimed.push(...planned.unclaimed)
    const claimed = new Set(planned.credits.map(({ transfer }) => transfer.depositAddressId))
    const rest = left.map(waiting => waiting.slice(sliceMax)).filter(waiting => waiting.length > 0)
    // Where nothing could be claimed there is no order that the chain has reached, so the rest is unclaimed as well: a hundred
    // thousand payments to an address without orders are not asked about again and again. One that may become a deposit is: an
    // order after those before it may be eligible for it.
    const goesOn = (waiting: PendingTransfer[]) =>
      claimed.has(waiting[0]!.depositAddressId) || waiting.some(({ time }) => time > until)
    const isDecided = (transfer: PendingTransfer) =>
      transfer.wasUnclaimed || !depositing.has(transfer.depositAddressId)
    const ended = rest.filter(waiting => !goesOn(waiting))
    unclaimed.push(...ended.flat().filter(isDecided))
    const undecided = ended.map(waiting => waiting.filter(transfer => !isDecided(transfer)))
    left = [...rest.filter(goesOn), ...undecided.filter(waiting => waiting.length > 0)]
  }
  credits.sort((a, b) => inChainOrder(a.transfer, b.transfer))
  deposits.sort((a, b) => inChainOrder(a.transfer, b.transfer))
  return { credits, deposits, unclaimed: unclaimed.sort(inChainOrder) }
}

/** Groups transfers by address, those of each in chain order. */
export function byAddress<T extends PendingTransfer>(transfers: readonly T[]): T[][] {
  const addresses = new Map<DepositAddressId, T[]>()
  for (const transfer of transfers.toSorted(inChainOrder)) {
    const others = addresses.get(transfer.depositAddressId)
    if (others) others.push(transfer)
    else addresses.set(transfer.depositAddressId, [transfer])
  }
  return [...addresses.values()]
}

/**
 * Lists what has to be read so that each of these transfers can choose as among all orders. What `chooseOrder` wants is the
 * oldest order of some kind. When the n-th transfer chooses, the n - 1 before it have changed at most as many orders. Those
 * are in memory. The oldest unchanged order of that kind is therefore among the oldest n that the database shows.
 * @param transfers of one address, in chain order.
 */
export function askedFor(transfers: readonly PendingTransfer[], graceMs: number): PayableAsked[] {
  const asked = new Map<string, PayableAsked>()
  for (const [i, { depositAddressId, time, amount }] of transfers.entries()) {
    const eligibleUntil = new Date(time.getTime() + graceMs)
    // The later one of two that ask for the same needs more of it.
    for (const wanted of [null, amount]) {
      asked.set(`${time.getTime()} ${wanted}`, {
        depositAddressId,
        time,
        eligibleUntil,
        amount: wanted,
        take: i + 1,
      })
    }
  }
  return [...asked.values()]
}

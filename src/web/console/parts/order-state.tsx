/** @jsxRuntime automatic @jsxImportSource preact */
import type { UsdtUnits } from '../../../base/money.ts'
import { type OrderState, orderState } from '../../../orders/order.ts'
import { type Page, wordsOf } from './page.ts'
import { State, type Tone } from './value-parts.tsx'

/** The words of an order's state on every page, as the API's documentation has them. */
const en = {
  states: {
    pending: 'Pending',
    underpaid: 'Underpaid',
    paid: 'Paid',
    overpaid: 'Overpaid',
  } satisfies Record<OrderState, string>,
  late: 'Late',
  expired: 'Expired',
}

const zh: typeof en = {
  states: { pending: '未到账', underpaid: '少付', paid: '付清', overpaid: '多付' },
  late: '逾期',
  expired: '已过期',
}

export const orderStateWords = { en, zh }

const tones: Record<OrderState, Tone> = {
  pending: 'grey',
  underpaid: 'amber',
  paid: 'green',
  overpaid: 'amber',
}

/** An order's state, and whether it was paid late or has expired before it was paid. */
export function OrderStates(props: {
  page: Page
  order: { received: UsdtUnits; amount: UsdtUnits }
  late: boolean
  expired: boolean
}) {
  const { received, amount } = props.order
  const words = wordsOf(props.page, orderStateWords)
  const state = orderState(received, amount)
  return (
    <>
      <State tone={tones[state]}>{words.states[state]}</State>
      {props.late && (
        <>
          {' '}
          <State tone="amber">{words.late}</State>
        </>
      )}
      {props.expired && received < amount && (
        <>
          {' '}
          <State tone="grey">{words.expired}</State>
        </>
      )}
    </>
  )
}

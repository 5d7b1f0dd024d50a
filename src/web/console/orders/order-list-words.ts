import type { ReadOrderFilter } from './order-filter.ts'

const en = {
  title: 'Orders',
  created: 'Created',
  merchant: 'Merchant',
  order: 'Order',
  orderHint: 'Your number or ours (cz-…)',
  user: 'User',
  amount: 'Amount',
  amountField: 'Amount or received',
  received: 'Received',
  state: 'State',
  from: 'From this day',
  to: 'Up to this day',
  zone: 'Days of',
  paidLate: 'Paid late',
  none: 'No order matches these filters.',
  noneYet:
    'There is no order yet. Orders come in through the API; the settings have what your developers need.',
  looked: (orders: string) =>
    `For this page ${orders} orders were looked at. Older ones follow on the next page.`,
  wrong: {
    state: 'There is no such state.',
    amount: 'An amount such as 12.5 or 1,000.00',
    from: 'A day such as 2026-11-30',
    to: 'A day such as 2026-11-30',
  } satisfies Record<ReadOrderFilter['wrong'][number], string>,
  problem: 'One of the filters cannot be read.',
}

export type OrderListWords = typeof en

const zh: OrderListWords = {
  title: '订单',
  created: '创建时间',
  merchant: '商户',
  order: '订单',
  orderHint: '您的订单号或网关订单号（cz-…）',
  user: '用户',
  amount: '金额',
  amountField: '金额或到账',
  received: '到账',
  state: '状态',
  from: '起始日（含）',
  to: '截止日（含）',
  zone: '日期所属时区',
  paidLate: '逾期付款',
  none: '没有符合条件的订单。',
  noneYet: '还没有订单。订单通过 API 创建；开发所需的信息在“设置”中。',
  looked: orders => `本页已查看 ${orders} 个订单，更早的在下一页。`,
  wrong: {
    state: '没有这种状态。',
    amount: '金额，例如 12.5 或 1,000.00',
    from: '日期，例如 2026-11-30',
    to: '日期，例如 2026-11-30',
  },
  problem: '有一个筛选条件无法识别。',
}

export const orderListWords = { en, zh }

import type { Unasked } from '../asking/ask-transaction.ts'
import type { LookUpAnswer } from './look-up-transfer.ts'
import type { Hit, HitState } from './search-hit.ts'

const en = {
  title: 'Search',
  found: (text: string) => `Results for “${text}”`,
  type: 'Type what you have',
  typeText:
    'An order number (yours or cz-…), an address, a transaction or the link to it in an explorer, the key of a callback, a user, or an amount. The key / brings you to the box from everywhere.',
  nothing: 'Nothing was found',
  nothingText:
    'Check that all of it was copied. Ids must match exactly, and capitals count in order numbers and users.',
  kinds: {
    order: 'Orders',
    user: 'Users',
    address: 'Addresses',
    transfer: 'Transfers',
    callback: 'Callbacks',
    quarantine: 'Logs that nobody could read',
  } satisfies Record<Hit['kind'], string>,
  more: (n: number) => `There are more than ${n}. Search for something more exact, or filter the list.`,
  amounts: (orders: string) =>
    `For an amount, the newest ${orders} orders and 1 000 transfers that wait are looked at. The list of orders can be filtered by amount for any time.`,
  merchant: 'Merchant',
  order: 'Order',
  user: 'User',
  created: 'Created',
  amount: 'Amount',
  received: 'Received',
  address: 'Address',
  transaction: 'Transaction',
  time: 'Block time',
  state: 'State',
  key: 'Key',
  reason: 'Why',
  states: {
    seen: 'Seen, not final yet',
    held: 'Waits',
    unclaimed: 'Unclaimed',
    rejected: 'Rejected',
    settled_outside: 'Settled outside',
    credited: 'Credited',
    deposit: 'Deposit',
  } satisfies Record<HitState, string>,
  wrongAddress: {
    case: 'This looks like an address that has lost its capitals. In an address they count: copy it again.',
    checksum: 'This looks like an address with a wrong character: its checksum does not fit. Copy it again.',
  },
  strange: 'This is a valid TRON address, but none of the addresses here.',
  lookedUp: 'What a node says about the transaction',
  word: 'No transfer of this transaction is recorded here. This is the word of one node, asked just now, and it is not verified.',
  wordOf: (node: string) => `It was asked of ${node}.`,
  answers: {
    unknown:
      'The node knows no such transaction. It may have been sent a moment ago, on another network, or not at all. Try again in a minute.',
    failed:
      'The transaction failed on the chain. It moved no tokens: the payer still has them, and has to send again.',
    no_token: 'The transaction moved no token: perhaps TRX. The gateway credits USDT (TRC-20) only.',
    other_token: 'The transaction moved another token than USDT, and not to one of your addresses.',
    other_token_own:
      'The transaction moved another token than USDT to one of your addresses. The gateway does not credit it. Whoever has the address’s key can move it.',
    elsewhere:
      'The transaction moved USDT, but not to one of your addresses. Ask the payer to compare the address.',
    not_yet: (blocks: number) =>
      `The payment is in a block that is not final yet. ${blocks === 1 ? 'One block is' : `${blocks} blocks are`} to go; then it is recorded and credited.`,
    before: 'The payment is from before the address was watched. It is not credited.',
    missing:
      'The payment is final and should be recorded, but is not. Tell the operator: gateway rescan reads its block again.',
  } satisfies Record<Exclude<LookUpAnswer['kind'], 'unasked'> | 'other_token_own', unknown>,
  unasked: {
    not_watched: 'It could not be looked up: the gateway follows no chain yet.',
    no_nodes: 'It could not be looked up: this process has no TRON_NODES.',
    busy: 'It was not looked up: too many are being asked for. Search again in a minute.',
    quota: 'It was not looked up: what is left of the day’s calls to the nodes is kept for crediting.',
    failed: 'It could not be looked up: no node gave a usable answer in time. Search again in a moment.',
  } satisfies Record<Unasked, string>,
  block: 'Block',
  contract: 'Contract',
  paidTo: 'Paid to',
}

export type SearchWords = typeof en

const zh: SearchWords = {
  title: '搜索',
  found: text => `“${text}”的搜索结果`,
  type: '输入您手上的信息',
  typeText:
    '订单号（您的或 cz-…）、地址、交易哈希或浏览器链接、回调的键、用户或金额。在任何页面按 / 即可跳到搜索框。',
  nothing: '没有找到',
  nothingText: '请检查是否复制完整。编号必须完全一致，订单号和用户区分大小写。',
  kinds: {
    order: '订单',
    user: '用户',
    address: '地址',
    transfer: '转账',
    callback: '回调',
    quarantine: '无法解析的日志',
  },
  more: n => `结果超过 ${n} 条。请输入更精确的内容，或在列表中筛选。`,
  amounts: orders =>
    `按金额搜索时，会查看最新的 ${orders} 个订单和 1 000 笔待处理转账。订单列表可按金额筛选任意时间。`,
  merchant: '商户',
  order: '订单',
  user: '用户',
  created: '创建时间',
  amount: '金额',
  received: '到账',
  address: '地址',
  transaction: '交易',
  time: '区块时间',
  state: '状态',
  key: '键',
  reason: '原因',
  states: {
    seen: '已看到，尚未确认',
    held: '等待中',
    unclaimed: '未认领',
    rejected: '已拒绝',
    settled_outside: '已在网关外处理',
    credited: '已入账',
    deposit: '充值（无订单）',
  },
  wrongAddress: {
    case: '这像是一个丢失了大小写的地址。地址区分大小写，请重新复制。',
    checksum: '这像是一个有错字符的地址：校验和不符。请重新复制。',
  },
  strange: '这是有效的 TRON 地址，但不是这里的地址。',
  lookedUp: '节点对这笔交易的说法',
  word: '这里没有这笔交易的转账记录。以下是刚刚向一个节点询问的结果，未经核实。',
  wordOf: node => `询问的节点：${node}。`,
  answers: {
    unknown: '节点没有这笔交易。它可能刚刚发出、在别的网络上，或者根本没有发出。请一分钟后再试。',
    failed: '交易在链上失败，没有转出任何代币：资金仍在付款人处，需要重新转账。',
    no_token: '这笔交易没有转移代币，可能是 TRX。网关只入账 USDT（TRC-20）。',
    other_token: '这笔交易转的不是 USDT，也不是转到您的地址。',
    other_token_own: '这笔交易把 USDT 以外的代币转到了您的地址。网关不会入账；持有该地址私钥的人可以转出。',
    elsewhere: '这笔交易转的是 USDT，但不是转到您的地址。请让付款人核对地址。',
    not_yet: blocks => `付款所在的区块尚未最终确认，还差 ${blocks} 个区块，之后会记录并入账。`,
    before: '付款早于该地址开始被监听的时间，不会入账。',
    missing: '付款已最终确认，本应有记录，但没有。请告知运维：gateway rescan 会重新读取该区块。',
  },
  unasked: {
    not_watched: '无法查询：网关还没有跟随任何链。',
    no_nodes: '无法查询：此进程没有设置 TRON_NODES。',
    busy: '未查询：正在查询的太多。请一分钟后再搜索。',
    quota: '未查询：当天剩余的节点调用次数要留给入账。',
    failed: '无法查询：没有节点及时给出可用的回答。请稍后再搜索。',
  },
  block: '区块',
  contract: '合约',
  paidTo: '收款地址',
}

export const searchWords = { en, zh }

import type { Unverified } from '../../../src/tron/block.ts'
import { MessageFields } from '../../../src/tron/message-fields.ts'
import { encodeElement } from '../../../src/tron/protobuf.ts'
import { transactionsOf, txidOf, withTransactions } from '../verify/block-messages.ts'
import { type Shown, transfer } from './fake-chain.ts'
import { transferLog } from './info-messages.ts'

// Ways to show a block of a fake chain falsely, and why it then is not verified. Its first transaction is a transfer, its second
// one that failed.

export interface FalseBlock {
  why: Unverified
  show(truth: Shown): Shown
}

const forgedUnits = 5_000_000

export const falseBlocks: Record<string, FalseBlock> = {
  'an empty list under a root': {
    why: 'empty-under-root',
    show: ({ block }) => ({ block: withTransactions(block, []), infos: [] }),
  },
  'a changed amount, in the call and in the log': {
    why: 'root',
    show({ block, infos }) {
      const forged = transfer(forgedUnits)
      const transactions = transactionsOf(block).with(0, forged)
      const info = { ...infos[0]!, id: txidOf(forged), log: [transferLog(forgedUnits)] }
      return { block: withTransactions(block, transactions), infos: infos.with(0, info) }
    },
  },
  'a transaction hidden in both answers': {
    why: 'root',
    show: ({ block, infos }) => ({
      block: withTransactions(block, transactionsOf(block).slice(1)),
      infos: infos.slice(1),
    }),
  },
  'a transaction too many': {
    why: 'root',
    show({ block, infos }) {
      const forged = transfer(forgedUnits)
      const info = { ...infos[0]!, id: txidOf(forged), log: [transferLog(forgedUnits)] }
      return {
        block: withTransactions(block, [...transactionsOf(block), forged]),
        infos: [...infos, info],
      }
    },
  },
  'a call that is without its log': {
    why: 'unlogged',
    show: ({ block, infos }) => ({ block, infos: infos.with(0, { ...infos[0]!, log: [] }) }),
  },
  'a call that failed by the infos alone': {
    why: 'unlogged',
    show: ({ block, infos }) => ({
      block,
      infos: infos.with(0, { ...infos[0]!, receipt: { result: 'REVERT' }, result: 'FAILED' }),
    }),
  },
  'a log in a transaction that failed': {
    why: 'contradicted',
    show({ block, infos }) {
      const { result: _, ...info } = infos[1]!
      const forged = { ...info, receipt: { result: 'SUCCESS' }, log: [transferLog(forgedUnits)] }
      return { block, infos: infos.with(1, forged) }
    },
  },
  'a log of another amount than its call': {
    why: 'contradicted',
    show: ({ block, infos }) => ({
      block,
      infos: infos.with(0, { ...infos[0]!, log: [transferLog(forgedUnits)] }),
    }),
  },
  'a log twice': {
    why: 'contradicted',
    show: ({ block, infos }) => ({
      block,
      infos: infos.with(0, { ...infos[0]!, log: [...infos[0]!.log!, ...infos[0]!.log!] }),
    }),
  },
  'an id that is not its own': {
    why: 'id',
    show: ({ block, infos }) => ({ block: withId(block, id => id.fill(0xab, 8)), infos }),
  },
}

/** Ways in which infos are not those of their block, all of which keep that of the transfer. */
export const unfitInfos: Record<string, (truth: Shown) => Shown> = {
  'one too few': ({ block, infos }) => ({ block, infos: infos.slice(0, 1) }),
  'one of another transaction': ({ block, infos }) => ({
    block,
    infos: infos.with(1, { ...infos[1]!, id: '9'.repeat(64) }),
  }),
  'one of another height': ({ block, infos }) => ({
    block,
    infos: infos.with(1, { ...infos[1]!, blockNumber: 7 }),
  }),
  'one of another time': ({ block, infos }) => ({
    block,
    infos: infos.with(1, { ...infos[1]!, blockTimeStamp: 7 }),
  }),
  'in another order': ({ block, infos }) => ({ block, infos: infos.toReversed() }),
}

/** The same block with another id. */
export function withId(block: Buffer, change: (id: Buffer) => Buffer): Buffer {
  return withField(block, 3, change)
}

/** The same block with another signature. */
export function withSignature(block: Buffer, signature: Buffer): Buffer {
  return withField(block, 2, header => withField(header, 2, () => signature))
}

function withField(message: Buffer, number: number, change: (bytes: Buffer) => Buffer): Buffer {
  const parts: Buffer[] = []
  const fields = new MessageFields(message)
  while (fields.next()) {
    const bytes = Buffer.from(fields.bytes())
    parts.push(encodeElement(fields.number, fields.number === number ? change(bytes) : bytes))
  }
  return Buffer.concat(parts)
}

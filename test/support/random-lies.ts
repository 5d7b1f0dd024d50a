import type { SeededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import type { Fault, FaultOf } from '../../src/sandbox/faults/fault-schemas.ts'
import type { TronAddress } from '../../src/tron/address.ts'

// lie: what a node shows that is not on the chain, or hides that is.      liar: a node that tells lies, whatever else it does.
// alone: a liar that is the only node.      among honest ones: a liar beside nodes over the same chain that tell the truth.

export interface LieContext {
  random: SeededRandom
  /** The newest block and the newest solidified one. */
  chain: { head: { height: number }; solid: { height: number } }
  /** Who may be told of money. At least one. */
  addresses: readonly TronAddress[]
  /** The blocks that are lied about. Those that do not exist yet are lied about when they do. */
  heights: { from: number; to: number }
  /** `small`: up to what one node's word is taken for. `large`: more than that. Default: either. */
  amounts?: 'any' | 'small' | 'large'
}

/**
 * So many producers may sign two blocks of one height: 19 would make both branches solid. Other lies that are told at the same time
 * put blocks on top of them, by one more producer each.
 */
const producersMax = 14

type Signed = NonNullable<FaultOf<'other-hash'>['signed']>

/** In USDT. @see CREDIT_ALONE_AMOUNT */
export const aloneAmount = 100
const amountOf = ({ random, amounts = 'any' }: LieContext) => {
  const [small, large] = [random.whole(1, aloneAmount), random.whole(aloneAmount + 1, 1_000)]
  return `${amounts === 'any' ? random.pick([small, large]) : amounts === 'small' ? small : large}`
}
const someone = ({ random, addresses }: LieContext) => random.pick(addresses)
const anySigned = ({ random }: LieContext) =>
  random.pick<Signed>(['kept', 'unsigned', 'stranger', 'impostor', 'producer'])
const onTop = ({ random }: LieContext) => random.chance(0.5)

function madeUp(signed: Exclude<Signed, 'kept'>) {
  return (context: LieContext): Fault[] => [
    {
      kind: 'made-up-block',
      signed,
      to: someone(context),
      amount: amountOf(context),
      ...(onTop(context) ? {} : { heights: context.heights }),
    },
  ]
}

/** Every kind of lie, by its name. */
export const lies = {
  'forged log': context => [
    { kind: 'forged-log', to: someone(context), amount: amountOf(context), heights: context.heights },
  ],
  'forged transfer': context => [
    {
      kind: 'forged-transfer',
      to: someone(context),
      amount: amountOf(context),
      heights: context.heights,
      signed: anySigned(context),
    },
  ],
  'hidden log': context => [
    {
      kind: 'hidden-log',
      heights: context.heights,
      ...(context.random.chance(0.5) && { to: someone(context) }),
    },
  ],
  'hidden transaction': context => [
    {
      kind: 'hidden-transaction',
      to: someone(context),
      heights: context.heights,
      signed: anySigned(context),
    },
  ],
  'changed amount': context => [
    {
      kind: 'forged-amount',
      amount: amountOf(context),
      heights: context.heights,
      call: context.random.chance(0.5),
      signed: anySigned(context),
    },
  ],
  'changed recipient': context => [
    {
      kind: 'forged-recipient',
      to: someone(context),
      heights: context.heights,
      call: context.random.chance(0.5),
      signed: anySigned(context),
    },
  ],
  'false result': context => [
    {
      kind: 'false-result',
      result: context.random.pick(['SUCCESS', 'REVERT', 'OUT_OF_ENERGY', 'OUT_OF_TIME', 'UNKNOWN'] as const),
      heights: context.heights,
      ...context.random.pick([{ where: 'block' } as const, { where: 'info' } as const, {}]),
      ...(context.random.chance(0.5) && { signed: anySigned(context) }),
    },
  ],
  'false head': ({ random }) => [
    {
      kind: 'false-head',
      blocks: random.whole(1, 1_000),
      signed: random.pick(['unsigned', 'stranger', 'impostor', 'producer'] as const),
    },
  ],
  'made-up block, unsigned': madeUp('unsigned'),
  'made-up block, by a stranger': madeUp('stranger'),
  'made-up block, by an impostor': madeUp('impostor'),
  'made-up block, by one producer': madeUp('producer'),
  'made-up block, by producers that are none': context => [
    { kind: 'false-producers' },
    ...madeUp('stranger')(context),
  ],
  'header only': ({ heights }) => [{ kind: 'header-only', heights }],
  'replayed block': context => [
    {
      kind: 'replayed-block',
      blocks: context.random.whole(1, 5),
      heights: context.heights,
      signed: anySigned(context),
    },
  ],
  'withheld block': ({ heights, random, addresses }) => [
    { kind: 'withheld-block', heights, ...(random.chance(0.5) && { to: random.pick(addresses) }) },
  ],
  'other block': context => [{ kind: 'other-hash', heights: context.heights, signed: anySigned(context) }],
  'other branch': ({ random, chain }) => {
    const depth = random.whole(1, chain.head.height - chain.solid.height + 2)
    const from = Math.max(1, chain.head.height - depth + 1)
    return [
      random.chance(0.5)
        ? { kind: 'other-branch', depth, signed: random.pick(['unsigned', 'stranger', 'impostor'] as const) }
        : { kind: 'other-branch', depth, heights: { from, to: from + producersMax - 1 } },
    ]
  },
} satisfies Record<string, (context: LieContext) => Fault[]>

export type LieName = keyof typeof lies
export const lieNames = Object.keys(lies) as LieName[]

/** Makes the faults of a lie. The same numbers make the same lie. */
export function makeLie(name: LieName, context: LieContext): Fault[] {
  return lies[name](context)
}

/** Chooses the blocks of a lie: the next ones at the head, or some that are solidified, in the last `back` blocks. */
export function lieHeights(
  { random, chain }: Pick<LieContext, 'random' | 'chain'>,
  where: 'head' | 'history',
  back = 40,
): { from: number; to: number } {
  const wide = random.whole(0, 4)
  if (where === 'head') {
    const from = chain.head.height + random.whole(1, 2)
    return { from, to: from + wide }
  }
  const { height } = chain.solid
  const from = random.whole(Math.max(1, height - back), height)
  return { from, to: Math.min(height, from + wide) }
}

import { type SeededRandom, seededRandom } from '../../src/sandbox/chain/seeded-random.ts'
import type { SolidBlock } from '../../src/tron/block.ts'
import { bytesFor, makeBlock, type Payment } from '../support/chain-blocks.ts'
import { at } from './credited-chain.ts'

// A random history by a seed: who has an address from when on, who orders what and when, what the chain pays.

/** Transfers above it are held for a second node. */
export const quorumAmount = 700n
/** As on the public networks, in the seconds of these chains: an order may be younger than the block that pays it. */
export const graceS = 4
const blockS = 3

/** Has an address from the start, or from an import on. */
export interface RandomUser {
  name: string
  /** Its address's imports, the first first; none: an address of ours. */
  imports: RandomImport[]
}

/** After which block it is, and from which one on it counts; null: from the next one on. */
export interface RandomImport {
  after: number
  fromBlock: number | null
}

export interface RandomOrder {
  user: string
  orderid: string
  units: number
  second: number
  windowS: number
}

export interface RandomRecharges {
  random: SeededRandom
  users: readonly RandomUser[]
  /** Oldest first, which is how their ids stand too. */
  orders: readonly RandomOrder[]
  blocks: readonly SolidBlock[]
}

export function randomRecharges(seed: number): RandomRecharges {
  const random = seededRandom(seed)
  const length = random.whole(5, 12)
  const after = () => random.whole(1, length - 1)
  const users: RandomUser[] = ['u1', 'u2', 'u3'].map(name => ({ name, imports: [] }))
  users.push({ name: 'imported', imports: [{ after: after(), fromBlock: null }] })
  const from = after()
  users.push({ name: 'imported from', imports: [{ after: from, fromBlock: random.whole(1, from) }] })
  const first = after()
  const again = { after: random.whole(first, length - 1), fromBlock: random.whole(1, first) }
  users.push({ name: 'imported again', imports: [{ after: first, fromBlock: null }, again] })
  const orders = Array.from({ length: random.whole(2, 12) }, () => {
    const user = random.pick(users)
    // Nobody can order what is to be paid at an address before the gateway knows it.
    const earliest = user.imports[0] ? user.imports[0].after * blockS + graceS + 1 : 0
    const second = random.whole(earliest, Math.max(earliest, length * blockS + graceS))
    return { user: user.name, units: random.pick(units), second, windowS: random.whole(1, 25) }
  })
    .toSorted((a, b) => a.second - b.second)
    .map((order, i) => ({ ...order, orderid: `o-${i}` }))
  const blocks: SolidBlock[] = []
  for (let height = 1; height <= length; height++) {
    const transactions = Array.from({ length: random.whole(0, 3) }, () => payments(random, users))
    blocks.push(makeBlock(`recharges ${seed}`, blocks.at(-1) ?? null, at(height * blockS), transactions))
  }
  return { random, users, orders, blocks }
}

/** Few amounts, so that exact ones meet; with rests below 1/10000 USDT, and some above the quorum amount. */
const units = [1, 60, 99, 100, 150, 250, 250, 300, 400, 777, 900]

function payments(random: SeededRandom, users: readonly RandomUser[]): Payment[] {
  return Array.from({ length: random.whole(1, 3) }, () => ({
    toBytes: bytesFor(random.chance(0.1) ? 'stranger' : random.pick(users).name),
    units: BigInt(random.pick(units)),
  }))
}

import type { UsdtUnits } from '../../src/base/money.ts'
import { producersDefault } from '../../src/sandbox/chain/producers.ts'
import type { SandboxChain } from '../../src/sandbox/chain/sandbox-chain.ts'
import { makePayment, sandboxAddresses } from '../../src/sandbox/chain/sandbox-transactions.ts'
import { startNodeView } from '../../src/sandbox/node-view.ts'
import { startSandboxNode } from '../../src/sandbox/sandbox-node.ts'
import type { TronAddress } from '../../src/tron/address.ts'

/** A sandbox chain of 27 producers behind two nodes, every block of it with a stranger's transfer, as real blocks have. */
export interface PacedChain {
  chain: SandboxChain
  urls: readonly { headUrl: string; solidUrl: string }[]
  /** Transfers to us, by the height of their block. */
  paid: readonly number[]
  /** Makes blocks at once, dated a slot apart. */
  mine(count: number): void
  /** Makes a block each slot from now on. */
  run(): void
  /** Of each node, in the order of `urls`. */
  calls(): number[]
  close(): Promise<void>
}

const someUnits = 1_000_000n as UsdtUnits
/** Two hosts, as far as names tell. */
const hosts = ['127.0.0.1', '127.0.0.2']

/**
 * Starts it.
 * @param options.behindMs how far its first head is behind the real time.
 * @param options.paidEvery one block of so many pays `to`.
 */
export async function startPacedChain(options: {
  slotMs: number
  behindMs: number
  paidEvery: number
  to: TronAddress
}): Promise<PacedChain> {
  const { slotMs, behindMs, paidEvery, to } = options
  let atMs = Date.now() - behindMs
  const clock = { now: () => new Date(atMs) }
  const first = await startSandboxNode({
    ...{ host: hosts[0], autoMine: false, producers: producersDefault, blockIntervalMs: slotMs, clock },
  })
  const { chain } = first
  const views = [first, await startNodeView(chain, { host: hosts[1]! })]
  const paid: number[] = []
  let timer: NodeJS.Timeout | undefined
  const mineAt = (ms: number) => {
    atMs = ms
    chain.add([makePayment(chain.stamp(), [{ to: sandboxAddresses.payer, amount: someUnits }])])
    const height = chain.head.height + 1
    if (height % paidEvery === 0) {
      chain.add([makePayment(chain.stamp(), [{ to, amount: someUnits }])])
      paid.push(height)
    }
    chain.mine()
  }
  return {
    chain,
    urls: views.map(({ url }) => ({ headUrl: url, solidUrl: url })),
    paid,
    mine(count) {
      for (let n = 0; n < count; n++) mineAt(atMs + slotMs)
    },
    run() {
      timer = setInterval(() => mineAt(Date.now()), slotMs)
    },
    calls: () => views.map(({ counts }) => counts.calls),
    async close() {
      clearInterval(timer)
      for (const view of views.toReversed()) await view.close()
    },
  }
}

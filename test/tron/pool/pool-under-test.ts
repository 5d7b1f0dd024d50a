import { afterEach } from 'node:test'
import type { Logger } from '../../../src/base/log.ts'
import { networks } from '../../../src/tron/network.ts'
import { createNodePool } from '../../../src/tron/pool/node-pool.ts'
import { type FakeNode, startFakeNode } from '../node/fake-node.ts'

// Fake nodes and pools over them, closed after the test that made them.
const closes: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close()
})

/** Closes what a test has opened, after it. */
export function closedAfterTest(close: () => Promise<void>): void {
  closes.push(close)
}

/** A line of the log: its name and its fields. */
export interface LogLine {
  event: string
  [field: string]: unknown
}

export async function fakeNodes(...given: Partial<FakeNode>[]): Promise<FakeNode[]> {
  const nodes = await Promise.all(given.map(startFakeNode))
  closes.push(async () => {
    await Promise.all(nodes.map(node => node.close()))
  })
  return nodes
}

/**
 * A clock that is moved by hand, and by a millisecond at each reading: paced calls go on, and nothing depends on how fast
 * this machine is.
 */
export function steppedClock() {
  let nowMs = Date.now()
  return {
    now: () => new Date(nowMs++),
    pass: (ms: number) => {
      nowMs += ms
    },
  }
}

export function poolOf(
  nodes: readonly { url: string }[],
  options: Partial<Parameters<typeof createNodePool>[0]> = {},
) {
  const lines: LogLine[] = []
  const debugLines: LogLine[] = []
  const keep = (line: object, event: string) => lines.push({ ...line, event })
  const keepDebug = (line: object, event: string) => debugLines.push({ ...line, event })
  const log = { debug: keepDebug, info: keep, warn: keep, error: keep } as unknown as Logger
  const pool = createNodePool({
    nodes: nodes.map(({ url }) => ({ headUrl: url, solidUrl: url })),
    usdtContract: networks.mainnet.usdtContract!,
    requestsPerSecond: 1_000,
    log,
    ...options,
  })
  closes.push(() => pool.close())
  /** The states that the log names for a node, in order. */
  const states = (name: string) =>
    lines.filter(({ event, node }) => event === 'node.state' && node === name).map(({ state }) => state)
  return { pool, lines, debugLines, states }
}

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { addressToBytes } from '../../../src/tron/address.ts'
import { heightHex } from '../../../src/tron/block-id.ts'
import { networks } from '../../../src/tron/network.ts'
import { transferTopic } from '../../../src/tron/transfer-log.ts'

/** What a node answers instead of the truth: JSON, or what the function does with the response. */
export type Answer = object | ((response: ServerResponse) => void)

export interface FakeCall {
  path: string
  body: Record<string, unknown>
  headers: IncomingHttpHeaders
}

/** A node played by a real HTTP server. It serves one chain up to a height, and misbehaves as `behave` says. */
export interface FakeNode {
  url: string
  name: string
  calls: FakeCall[]
  /** Requests that the server is answering now, and the most there have been. */
  inFlight: { now: number; most: number }
  solidHeight: number
  headHeight: number
  /** Which chain; blocks of another fork have other ids from `forkAt` on. */
  chain: string
  fork: { name: string; at: number } | null
  /** Paths that it does not offer. */
  unknownPaths: RegExp | null
  /** Asked first, for every call; undefined: the truth. */
  behave: ((call: FakeCall) => Answer | undefined) | null
  delayMs: number
  close(): Promise<void>
}

const usdt = addressToBytes(networks.mainnet.usdtContract!).toString('hex')
/** Blocks are dated around now, so that heads are fresh. */
const startedAtMs = Date.now()
const startHeight = 1000

export function blockTimeMs(height: number): number {
  return Math.floor((startedAtMs - 60_000 + (height - startHeight) * 3_000) / 3_000) * 3_000
}

export async function startFakeNode(given: Partial<FakeNode> = {}): Promise<FakeNode> {
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const url = new URL(request.url!, 'http://node')
    const call: FakeCall = {
      path: url.pathname,
      body: text ? JSON.parse(text) : Object.fromEntries(url.searchParams),
      headers: request.headers,
    }
    node.calls.push(call)
    node.inFlight.now++
    node.inFlight.most = Math.max(node.inFlight.most, node.inFlight.now)
    response.on('close', () => node.inFlight.now--)
    if (node.delayMs > 0) await new Promise(resolve => setTimeout(resolve, node.delayMs))
    const answer = node.behave?.(call) ?? truth(node, call)
    if (typeof answer === 'function') answer(response)
    else response.end(JSON.stringify(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const node: FakeNode = {
    url: `http://${name}`,
    name,
    calls: [],
    inFlight: { now: 0, most: 0 },
    solidHeight: 1000,
    headHeight: 1018,
    chain: 'main',
    fork: null,
    unknownPaths: null,
    behave: null,
    delayMs: 0,
    ...given,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return node
}

function truth(node: FakeNode, { path, body }: FakeCall): Answer {
  if (node.unknownPaths?.test(path)) return refuse(404, '{"Error": "this API is unavailable due to config"}')
  const newest = path.startsWith('/walletsolidity/') ? node.solidHeight : node.headHeight
  switch (path.replace(/^.*\//, '')) {
    case 'getnowblock':
      return blockJson(node, newest)
    case 'getblock': {
      const { transactions: _, ...header } = blockJson(node, Number(body.id_or_num ?? newest))
      return Number(body.id_or_num ?? newest) <= newest ? header : {}
    }
    case 'getblockbynum':
      return Number(body.num) <= newest ? blockJson(node, Number(body.num)) : {}
    case 'gettransactioninfobyblocknum':
      return Number(body.num) <= newest ? infosJson(node, Number(body.num)) : []
    default:
      return refuse(404, '')
  }
}

/** Whether a call asks for a block or its infos at the solidified view, and not for the genesis block. */
export function asksForBlock({ path, body }: FakeCall): boolean {
  return /walletsolidity.*(bynum|byblocknum)/.test(path) && body.num !== 0
}

/** An HTTP error. */
export function refuse(status: number, body: string, headers: Record<string, string> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(status, headers)
    response.end(body)
  }
}

/** Never answers. */
export const hang: Answer = () => undefined

export function blockHash({ chain, fork }: Pick<FakeNode, 'chain' | 'fork'>, height: number): string {
  const seed = fork && height >= fork.at ? `${chain} ${fork.name}` : chain
  return heightHex(height) + Buffer.from(`${seed} ${height}`.padEnd(24, '.').slice(0, 24)).toString('hex')
}

/** Every block has two transactions, the first a transfer of its height in units; every tenth is empty. */
export function blockJson(node: Pick<FakeNode, 'chain' | 'fork'>, height: number): Record<string, unknown> {
  return {
    blockID: blockHash(node, height),
    block_header: {
      raw_data: {
        ...(height > 0 && { number: height }),
        timestamp: blockTimeMs(height),
        parentHash: height === 0 ? '00'.repeat(32) : blockHash(node, height - 1),
      },
    },
    ...(height % 10 !== 0 && { transactions: [0, 1].map(i => ({ txID: txid(height, i) })) }),
  }
}

export function infosJson(_node: unknown, height: number): object[] {
  if (height % 10 === 0) return []
  return [0, 1].map(i => ({
    id: txid(height, i),
    blockNumber: height,
    blockTimeStamp: blockTimeMs(height),
    receipt: i === 0 ? { result: 'SUCCESS' } : {},
    ...(i === 0 && { log: [logJson(height)] }),
  }))
}

export function logJson(units: number): { address: string; topics: string[]; data: string } {
  return {
    address: usdt,
    topics: [transferTopic, '11'.repeat(20).padStart(64, '0'), '22'.repeat(20).padStart(64, '0')],
    data: units.toString(16).padStart(64, '0'),
  }
}

export function txid(height: number, index: number): string {
  return `${index}${String(height).padStart(63, '0')}`
}

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { blockHash, type FakeChain, shownAt, shownJson } from './fake-chain.ts'

/** What a node answers instead of the truth: JSON, or what the function does with the response. */
export type Answer = object | ((response: ServerResponse) => void)

export interface FakeCall {
  path: string
  body: Record<string, unknown>
  headers: IncomingHttpHeaders
}

/** A node played by a real HTTP server. It serves one chain up to a height, and misbehaves as `behave` says. */
export interface FakeNode extends FakeChain {
  url: string
  name: string
  calls: FakeCall[]
  /** Requests that the server is answering now, and the most there have been. */
  inFlight: { now: number; most: number }
  solidHeight: number
  headHeight: number
  /** Paths that it does not offer. */
  unknownPaths: RegExp | null
  /** Asked first, for every call; undefined: the truth. */
  behave: ((call: FakeCall) => Answer | undefined) | null
  delayMs: number
  close(): Promise<void>
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
    lie: null,
    unknownPaths: null,
    behave: null,
    delayMs: 0,
    ...given,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  // Not within the deadline of the first call.
  blockHash(node, node.headHeight)
  return node
}

function truth(node: FakeNode, { path, body }: FakeCall): Answer {
  if (node.unknownPaths?.test(path)) return refuse(404, '{"Error": "this API is unavailable due to config"}')
  const newest = path.startsWith('/walletsolidity/') ? node.solidHeight : node.headHeight
  switch (path.replace(/^.*\//, '')) {
    case 'getnowblock':
      return shownJson(node, newest)
    case 'getblock': {
      const { transactions: _, ...header } = shownJson(node, Number(body.id_or_num ?? newest))
      return Number(body.id_or_num ?? newest) <= newest ? header : {}
    }
    case 'getblockbynum':
      return Number(body.num) <= newest ? shownJson(node, Number(body.num)) : {}
    case 'gettransactioninfobyblocknum':
      return Number(body.num) <= newest ? shownAt(node, Number(body.num)).infos : []
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

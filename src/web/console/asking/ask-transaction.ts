import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../../base/clock.ts'
import type { Config, NetworkName } from '../../../base/config.ts'
import type { MerchantId } from '../../../base/ids.ts'
import type { Logger } from '../../../base/log.ts'
import { dayQuotaOf } from '../../../blocks/calls-a-day.ts'
import { type ChainPin, readCursor } from '../../../blocks/chain-store.ts'
import { keepCalls } from '../../../blocks/keep-nodes.ts'
import { readNodes } from '../../../blocks/node-store.ts'
import type { Pool } from '../../../db/pool.ts'
import { parseTronAddress } from '../../../tron/address.ts'
import { networks } from '../../../tron/network.ts'
import { createDayQuota, type DayQuota } from '../../../tron/node/day-quota.ts'
import type { NodeTransactionInfo } from '../../../tron/node/node-answers.ts'
import { createTronNode, type TronNode } from '../../../tron/node/node-client.ts'
import { NodeError } from '../../../tron/node/node-error.ts'
import type { TokenBucket } from '../../../tron/node/token-bucket.ts'
import { nodeNames } from '../../../tron/pool/node-pool.ts'
import { takeLookUpTurn } from './look-up-turn-store.ts'

/** What one node says of a transaction. It is its word: nothing of it is verified. */
export interface NodeWord {
  node: string
  /** null: it is in no block that the node has. */
  info: NodeTransactionInfo | null
}

/**
 * Why no node was asked, or none answered: not_watched: the gateway follows no chain yet; no_nodes: TRON_NODES is not set here;
 * busy: others are asking; quota: what is left of the day's calls is kept for crediting; failed: no node gave a usable answer.
 */
export type Unasked = 'not_watched' | 'no_nodes' | 'busy' | 'quota' | 'failed'

/** Asks nodes about transactions, for people who search for one: seldom, and never at the cost of crediting. */
export interface TransactionAsker {
  /** @param asks whose people ask; null: the gateway's. */
  ask(txid: string, asks: MerchantId | null): Promise<NodeWord | Unasked>
  close(): Promise<void>
}

export interface AskingOptions {
  pool: Pool
  config: Pick<Config, 'tronNodes' | 'trongridApiKey' | 'nodeRequestsPerDay'>
  log: Logger
}

/** For all of one question: whoever searched waits for the page. */
const withinMs = 6_000
const callMs = 4_000
/** How long a call waits for its turn, and how soon one that another process has is asked for again. */
const turnWaitMs = 3_000
const turnPollMs = 200
/** Questions that wait in one process. Each takes a second of all processes together. */
const waitingMax = 3
/** Questions of one merchant's people in a minute, in each process: the day's calls are there for all merchants. */
const perMinute = 20
const minuteMs = 60_000
/** A transaction that is looked for is looked for again, by the same person or a colleague. */
const rememberedForMs = 10_000
const rememberedMax = 200
/** An info is a few kilobytes. A transaction with so many logs is no payment. */
const answerMaxBytes = 4 * 1024 * 1024

/** Opens the asking. It connects at the first question. @param options.config the nodes are those that the watcher follows. */
export function openTransactionAsker({ pool, config, log }: AskingOptions): TransactionAsker {
  const asked = new Map<MerchantId | null, number[]>()
  const remembered = new Map<string, { atMs: number; word: Promise<NodeWord | Unasked> }>()
  let nodes: AskedNode[] | null = null
  let waiting = 0

  const askNodes = async (txid: string): Promise<NodeWord | Unasked> => {
    if (config.tronNodes.length === 0) return 'no_nodes'
    const chain = await readCursor(pool)
    if (!chain) return 'not_watched'
    nodes ??= openNodes(pool, config, chain)
    const untilMs = Date.now() + withinMs
    let why: Unasked = 'failed'
    for (const node of await inOrder(pool, nodes)) {
      if (Date.now() >= untilMs) break
      try {
        return { node: node.name, info: await node.transaction(txid) }
      } catch (error) {
        if (!(error instanceof NodeError)) throw error
        if (error.cause instanceof NotAsked) why = error.cause.why
        else log.info({ node: node.name, err: error }, 'console.node_failed')
      }
    }
    return why
  }
  const isPatient = (asks: MerchantId | null) => {
    const since = Date.now() - minuteMs
    const lately = (asked.get(asks) ?? []).filter(atMs => atMs > since)
    asked.set(asks, lately)
    return lately.length < perMinute && lately.push(Date.now()) > 0
  }
  const askInTurn = async (txid: string, asks: MerchantId | null) => {
    if (waiting >= waitingMax || !isPatient(asks)) return 'busy'
    waiting++
    const asking = askNodes(txid).finally(() => waiting--)
    // What goes on after that is bounded, and of use for the next question.
    asking.catch(() => undefined)
    return await Promise.race([asking, sleep(withinMs, 'failed' as const, { ref: false })])
  }
  return {
    ask(txid, asks) {
      const before = remembered.get(txid)
      if (before && Date.now() - before.atMs < rememberedForMs) return before.word
      const word = askInTurn(txid, asks)
      remembered.set(txid, { atMs: Date.now(), word })
      const oldest = remembered.keys().next().value
      if (remembered.size > rememberedMax && oldest !== undefined) remembered.delete(oldest)
      const forget = () => remembered.get(txid)?.word === word && remembered.delete(txid)
      word.then(said => typeof said === 'string' && forget(), forget)
      return word
    },
    async close() {
      await Promise.all((nodes ?? []).map(node => node.close()))
    },
  }
}

interface AskedNode {
  name: string
  /** @throws NodeError */
  transaction(txid: string): Promise<NodeTransactionInfo | null>
  close(): Promise<void>
}

/** Kept as the cause of an error of the client. */
class NotAsked extends Error {
  readonly why: 'busy' | 'quota'
  constructor(why: NotAsked['why']) {
    super(why)
    this.why = why
  }
}

function openNodes(pool: Pool, config: AskingOptions['config'], chain: ChainPin): AskedNode[] {
  const usdtContract = parseTronAddress(chain.usdtContract)
  if (!usdtContract)
    throw new Error(`the database is bound to ${chain.usdtContract}, which is not an address`)
  const { tronNodes, trongridApiKey: apiKey, nodeRequestsPerDay } = config
  const network = networks[chain.network as NetworkName]
  const perDay =
    nodeRequestsPerDay === undefined
      ? { perDay: null, reservePerDay: 0 }
      : dayQuotaOf({ network, nodes: tronNodes }, nodeRequestsPerDay)
  const names = nodeNames(tronNodes)
  const quotas = new Map(names.map(name => [name, createDayQuota({ ...perDay, clock: systemClock })]))
  return names.map((name, i) => {
    const bucket = turnBucket(pool, quotas, quotas.get(name)!)
    const { headUrl, solidUrl } = tronNodes[i]!
    const node = createTronNode({
      ...{ name, headUrl, solidUrl, apiKey, usdtContract, bucket },
      ...{ deadlineMs: callMs, bodyMaxBytes: answerMaxBytes },
    })
    let checked: Promise<void> | null = null
    return {
      name,
      async transaction(txid) {
        checked ??= checkChain(node, chain.genesisId)
        await checked.catch(error => {
          checked = null
          throw error
        })
        return await node.transaction(txid)
      },
      close: () => node.close(),
    }
  })
}

async function checkChain(node: TronNode, genesisId: string): Promise<void> {
  const found = await node.genesisId()
  if (found !== genesisId)
    throw new NodeError(
      'failed',
      `node ${node.name}: it serves the chain with genesis ${found}, not ${genesisId}`,
    )
}

/** Paces each call to a node: within the day's quota, and one a second over all processes. */
function turnBucket(pool: Pool, quotas: ReadonlyMap<string, DayQuota>, quota: DayQuota): TokenBucket {
  const refuse = (why: NotAsked['why']) => {
    const said = {
      busy: 'others are asking',
      quota: 'what is left of its quota of the day is kept for crediting',
    }
    throw new NodeError('later', said[why], { cause: new NotAsked(why) })
  }
  return {
    async take() {
      // What the watcher has called meanwhile counts too.
      await keepCalls(pool, { quotas })
      if (quota.left === 0) refuse('quota')
      const untilMs = Date.now() + turnWaitMs
      while (!(await takeLookUpTurn(pool))) {
        if (Date.now() + turnPollMs > untilMs) refuse('busy')
        await sleep(turnPollMs)
      }
      if (!quota.maySpare()) refuse('quota')
      quota.count()
      await keepCalls(pool, { quotas })
      return () => undefined
    },
    suspend: () => undefined,
    slowDown: () => undefined,
    perSecond: 1,
    suspendedUntilMs: 0,
    deadlineMs: undefined,
    close: () => undefined,
  }
}

/** Puts first what the leading watcher finds well, and leaves out what it lets rest. */
async function inOrder(pool: Pool, nodes: readonly AskedNode[]): Promise<AskedNode[]> {
  const stored = new Map((await readNodes(pool)).map(node => [node.node, node]))
  const now = Date.now()
  const rank = ({ name }: AskedNode) => (['ok', undefined].includes(stored.get(name)?.state) ? 0 : 1)
  return nodes
    .filter(({ name }) => (stored.get(name)?.until?.getTime() ?? 0) <= now)
    .sort((a, b) => rank(a) - rank(b))
}

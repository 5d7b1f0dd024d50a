import type { Config } from '../base/config.ts'
import { createLog } from '../base/log.ts'
import { readCursor } from '../blocks/chain-store.ts'
import { readNodes } from '../blocks/node-store.ts'
import { singleSourceWarning } from '../blocks/single-source.ts'
import type { Pool } from '../db/pool.ts'
import { parseTronAddress } from '../tron/address.ts'
import { networks } from '../tron/network.ts'
import { hostOf } from '../tron/pool/node-host.ts'
import { createNodePool } from '../tron/pool/node-pool.ts'
import { type Finding, look, messageOfFailure, ok, wrong } from './finding.ts'

const area = 'node'
const callMs = 8_000
/** Behind the furthest node. */
const behindMax = 20
const skewMaxMs = 10_000

interface NodeFacts {
  name: string
  solidHeight: number | null
  headTimeMs: number | null
  why: string | null
}

/** Asks each node of TRON_NODES for its chain, its head and its solidified head. @param pool to know the chain by; null: it is away. */
export async function checkNodes(config: Config, pool: Pool | null, nowMs: () => number): Promise<Finding[]> {
  const { tronNetwork, tronNodes } = config
  if (!tronNetwork || tronNodes.length === 0)
    return [look(area, 'TRON_NODES and TRON_NETWORK are not both set')]
  const network = networks[tronNetwork]
  const cursor = pool && (await readCursor(pool).catch(() => null))
  const usdtContract =
    (config.usdtContract === undefined ? network.usdtContract : parseTronAddress(config.usdtContract)) ??
    networks.mainnet.usdtContract!
  const genesisId = cursor?.genesisId ?? network.genesisId
  const facts = await Promise.all(
    tronNodes.map(async (node): Promise<NodeFacts> => {
      const one = createNodePool({
        ...{ nodes: [node], apiKey: config.trongridApiKey, usdtContract, genesisId, requestsPerSecond: 2 },
        ...{ deadlineMs: callMs, log: createLog('silent', 'doctor') },
      })
      const [name] = one.names
      try {
        await one.genesisId()
        const head = await one.head()
        const solid = one.saysSolid() ? await one.solidHead() : null
        return { name: name!, solidHeight: solid?.height ?? null, headTimeMs: head.time.getTime(), why: null }
      } catch (error) {
        return { name: name!, solidHeight: null, headTimeMs: null, why: messageOfFailure(error) }
      } finally {
        await one.close()
      }
    }),
  )
  const furthest = Math.max(0, ...facts.map(({ solidHeight }) => solidHeight ?? 0))
  const chainIsTimed = network.slotMs !== null
  const ports = network.slotMs === null
  const known = tronNodes.map(({ headUrl }) => ({
    host: hostOf(headUrl, ports),
    transport: headUrl.startsWith('grpc') ? ('grpc' as const) : ('http' as const),
  }))
  const single = singleSourceWarning(tronNetwork, known)
  return [
    ...facts.map(one => nodeFinding(one, { furthest, nowMs: nowMs(), chainIsTimed })),
    ...(facts.every(({ why }) => why !== null)
      ? [wrong(area, 'no node answers: nothing can be credited')]
      : []),
    ...(single === null ? [] : [look(area, single)]),
    await paceFinding(config, pool),
  ]
}

function nodeFinding(
  { name, solidHeight, headTimeMs, why }: NodeFacts,
  { furthest, nowMs, chainIsTimed }: { furthest: number; nowMs: number; chainIsTimed: boolean },
): Finding {
  if (why !== null) return wrong(area, why.includes(name) ? why : `${name}: ${why}`)
  const solid =
    solidHeight === null
      ? 'does not say what is solid'
      : `solid at ${solidHeight}, ${furthest - solidHeight} behind`
  const aheadMs = headTimeMs! - nowMs
  const head = `head of ${new Date(headTimeMs!).toISOString()}`
  const says = `${name} ${solid}, ${head}`
  if (aheadMs > skewMaxMs) return wrong(area, `${says}: that is ahead of this machine's clock`)
  if (chainIsTimed && -aheadMs > 60_000)
    return wrong(area, `${says}: it stands still, or this machine's clock is ahead`)
  return (solidHeight !== null && furthest - solidHeight > behindMax ? wrong : ok)(area, says)
}

async function paceFinding(config: Config, pool: Pool | null): Promise<Finding> {
  const { pacing } = networks[config.tronNetwork!]
  const pace = `at most ${config.nodeRequestsPerSecond ?? pacing.requestsPerSecond} requests a second to each`
  const perDay = config.nodeRequestsPerDay
  const calls = pool ? await readNodes(pool).catch(() => []) : []
  const today = calls.map(({ node, calls: made }) => `${node} ${made}`).join(', ')
  const isUp = perDay !== undefined && calls.some(({ calls: made }) => made >= perDay)
  const quota = perDay === undefined ? 'no quota of the day' : `${perDay} a day`
  return (isUp ? wrong : ok)(
    area,
    `${pace}, ${quota}${today ? `; today: ${today}` : ''}${isUp ? ': used up' : ''}`,
  )
}

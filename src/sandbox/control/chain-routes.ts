import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import { sandboxAddresses } from '../chain/sandbox-transactions.ts'
import { forkBody, maintenanceBody, mineBody, skipBody } from './control-schemas.ts'

/** Routes that mine, fork and skip time, and that report the chain's state and its truth. */
export function chainRoutes(app: FastifyInstance, chain: SandboxChain, blockIntervalMs: number | null): void {
  const heights = () => ({ head: shown(chain.head), solid: shown(chain.solid), pending: chain.pendingCount })

  app.post<{ Body: Static<typeof mineBody> }>(
    '/sandbox/mine',
    { schema: { body: mineBody } },
    async request => {
      const { blocks, missedSlots, first } = request.body
      chain.mine(blocks, { missedSlots, first })
      return heights()
    },
  )
  app.post<{ Body: Static<typeof forkBody> }>(
    '/sandbox/fork',
    { schema: { body: forkBody } },
    async request => {
      const { depth, ...options } = request.body
      const orphans = chain.fork(depth, options)
      return { orphaned: orphans.map(shown), ...heights() }
    },
  )
  app.post<{ Body: Static<typeof maintenanceBody> }>(
    '/sandbox/maintenance',
    { schema: { body: maintenanceBody } },
    async request => {
      chain.maintain(request.body)
      return { elected: chain.producers.elected.map(({ address }) => address), ...heights() }
    },
  )
  app.post<{ Body: Static<typeof skipBody> }>(
    '/sandbox/skip',
    { schema: { body: skipBody } },
    async request => ({ nextBlockNotBefore: chain.skip(request.body.seconds).toISOString(), ...heights() }),
  )
  app.get('/sandbox/state', async () => ({
    network: 'sandbox',
    genesisId: chain.genesisId,
    addresses: sandboxAddresses,
    blockIntervalMs,
    solidificationDepth: chain.solidificationDepth,
    solidifiedBy: chain.solidifiedBy,
    ...heights(),
  }))
  app.get('/sandbox/truth', async () => {
    const { transfers, ...truth } = chain.truth()
    return { ...truth, transfers: transfers.map(it => ({ ...it, amount: it.amount.toString() })) }
  })
}

function shown({ height, id, timeMs, transactions }: SandboxBlock): object {
  return { height, id, time: new Date(timeMs).toISOString(), transactions: transactions.length }
}

import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { SandboxRefusal } from '../chain/sandbox-refusal.ts'
import { type Fault, faultBody } from '../faults/fault-schemas.ts'
import type { ActiveFault } from '../faults/node-faults.ts'
import type { NodeParts } from '../node/node-door.ts'
import { nodeBody } from './control-schemas.ts'

/** Starts another node over the same chain. @returns its URLs. @throws SandboxRefusal when there are too many. */
export type StartAnother = (options: Static<typeof nodeBody>) => Promise<{ url: string; grpcUrl: string }>

/** Routes that set, list and clear the faults of this node, report how often it was called, and start nodes beside it. */
export function faultRoutes(
  app: FastifyInstance,
  { faults, counts, startAnother }: NodeParts & { startAnother: StartAnother },
): void {
  app.post<{ Body: Fault }>('/sandbox/faults', { schema: { body: faultBody } }, async request =>
    shown(faults.set(request.body)),
  )
  app.get('/sandbox/faults', async () => ({ faults: faults.list().map(shown), calls: counts }))
  app.post<{ Body: Static<typeof nodeBody> }>('/sandbox/nodes', { schema: { body: nodeBody } }, request =>
    startAnother(request.body),
  )
  app.delete('/sandbox/faults', async () => {
    faults.clear()
    return { faults: [] }
  })
  app.delete<{ Params: { id: string } }>('/sandbox/faults/:id', async ({ params: { id } }) => {
    if (!/^\d{1,9}$/.test(id)) throw new SandboxRefusal(`a fault's id is a number, got ${id}`)
    faults.clear(Number(id))
    return { faults: faults.list().map(shown) }
  })
}

/** The fault as it was set, with its id and the number of calls it struck. */
function shown({ id, fault, hits }: ActiveFault): object {
  return { id, ...fault, hits }
}

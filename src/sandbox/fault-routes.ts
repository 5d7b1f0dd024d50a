import type { FastifyInstance } from 'fastify'
import { type Fault, faultBody } from './fault-schemas.ts'
import type { NodeParts } from './node-door.ts'
import type { ActiveFault } from './node-faults.ts'
import { SandboxRefusal } from './sandbox-refusal.ts'

/** Sets, lists and clears the faults of this node, and tells how often it was called. */
export function faultRoutes(app: FastifyInstance, { faults, counts }: NodeParts): void {
  app.post<{ Body: Fault }>('/sandbox/faults', { schema: { body: faultBody } }, async request =>
    shown(faults.set(request.body)),
  )
  app.get('/sandbox/faults', async () => ({ faults: faults.list().map(shown), calls: counts }))
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

/** A fault as it was set, with its id and how often it struck. */
function shown({ id, fault, hits }: ActiveFault): object {
  return { id, ...fault, hits }
}

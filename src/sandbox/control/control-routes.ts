import type { FastifyInstance, FastifySchemaValidationError } from 'fastify'
import { SandboxRefusal } from '../chain/sandbox-refusal.ts'
import { faultKinds } from '../faults/fault-schemas.ts'
import type { NodeParts } from '../node/node-door.ts'
import { chainRoutes } from './chain-routes.ts'
import { faultRoutes, type StartAnother } from './fault-routes.ts'
import { paymentRoutes } from './payment-routes.ts'

/**
 * The control API, beside the node's: pay, mine, fork, skip time, set faults. Answers are JSON. A request that cannot be
 * fulfilled is a 400 with `{"error": sentence}`. No fault applies here.
 */
export async function controlRoutes(
  app: FastifyInstance,
  options: NodeParts & { blockIntervalMs: number | null; startAnother: StartAnother },
): Promise<void> {
  app.setSchemaErrorFormatter(errors => new SandboxRefusal(sentence(errors)))
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) =>
    reply.code(error.statusCode ?? 500).send({ error: error.message }),
  )
  paymentRoutes(app, options.chain)
  chainRoutes(app, options.chain, options.blockIntervalMs)
  faultRoutes(app, options)
}

type SchemaError = FastifySchemaValidationError & { parentSchema?: { description?: string } }

/** Writes the sentence about an invalid body, with the name of the field. */
function sentence(errors: readonly SchemaError[]): string {
  const { instancePath, keyword, message, params, parentSchema } = errors[0]!
  const field = instancePath.slice(1).replaceAll('/', '.') || 'the body'
  if (keyword === 'discriminator') return `kind must be one of ${faultKinds.join(', ')}`
  if (typeof params.additionalProperty === 'string')
    return `${field} has no field ${params.additionalProperty}`
  if (Array.isArray(params.allowedValues)) return `${field} must be one of ${params.allowedValues.join(', ')}`
  if (keyword === 'pattern' && parentSchema?.description)
    return `${field} must be ${parentSchema.description}`
  return `${field} ${message}`
}

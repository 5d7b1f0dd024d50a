import type { FastifyInstance, FastifySchemaValidationError } from 'fastify'
import type { Static } from 'typebox'
import { parseUsdt, type UsdtUnits } from '../base/money.ts'
import { parseTronAddress, type TronAddress } from '../tron/address.ts'
import {
  type factsSchema,
  forkBody,
  includeBody,
  mineBody,
  sendBody,
  sendManyBody,
} from './control-schemas.ts'
import type { SandboxBlock, SandboxChain } from './sandbox-chain.ts'
import { SandboxRefusal } from './sandbox-refusal.ts'
import { type failures, makePayment, sandboxAddresses } from './sandbox-transactions.ts'
import type { SandboxTransaction, TransactionFacts } from './transaction-facts.ts'

/**
 * The sandbox's own API, beside the node's: to pay, to put transactions into blocks by their facts, to mine, to fork.
 * Transactions wait for the next block. Answers are JSON; what cannot be done is a 400 with `{"error": sentence}`.
 */
export async function controlRoutes(
  app: FastifyInstance,
  { chain, blockIntervalMs }: { chain: SandboxChain; blockIntervalMs: number | null },
): Promise<void> {
  app.setSchemaErrorFormatter(errors => new SandboxRefusal(sentence(errors[0]!)))
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) =>
    reply.code(error.statusCode ?? 500).send({ error: error.message }),
  )
  const heights = () => ({ head: shown(chain.head), solid: shown(chain.solid), pending: chain.pendingCount })

  app.post<{ Body: Static<typeof sendBody> }>(
    '/sandbox/send',
    { schema: { body: sendBody } },
    async request => {
      const { to, amount, count = 1, ...options } = request.body
      const payment = { to: readAddress('to', to), amount: readAmount(amount) }
      const given = readOptions(options)
      const txids = added(
        chain,
        Array.from({ length: count }, () => makePayment(chain.stamp(), [payment], given)),
      )
      return count === 1 ? { txid: txids[0] } : { txids }
    },
  )
  app.post<{ Body: Static<typeof sendManyBody> }>(
    '/sandbox/send-many',
    { schema: { body: sendManyBody } },
    async request => {
      const { payments, ...options } = request.body
      const parsed = payments.map(({ to, amount }) => ({
        to: readAddress('to', to),
        amount: readAmount(amount),
      }))
      const [txid] = added(chain, [makePayment(chain.stamp(), parsed, readOptions(options))])
      return { txid }
    },
  )
  app.post<{ Body: Static<typeof includeBody> }>(
    '/sandbox/include',
    { schema: { body: includeBody } },
    async request => {
      return { txids: added(chain, request.body.transactions.map(readFacts)) }
    },
  )
  app.post<{ Body: Static<typeof mineBody> }>(
    '/sandbox/mine',
    { schema: { body: mineBody } },
    async request => {
      chain.mine(request.body.blocks)
      return heights()
    },
  )
  app.post<{ Body: Static<typeof forkBody> }>(
    '/sandbox/fork',
    { schema: { body: forkBody } },
    async request => {
      const orphans = chain.fork(request.body.depth, new Set(request.body.drop))
      return { orphaned: orphans.map(shown), ...heights() }
    },
  )
  app.get('/sandbox/state', async () => ({
    network: 'sandbox',
    genesisId: chain.genesisId,
    addresses: sandboxAddresses,
    blockIntervalMs,
    solidificationDepth: chain.solidificationDepth,
    ...heights(),
  }))
}

function added(chain: SandboxChain, transactions: readonly SandboxTransaction[]): string[] {
  chain.add(transactions)
  return transactions.map(({ id }) => id)
}

function shown({ height, id, timeMs, transactions }: SandboxBlock): object {
  return { height, id, time: new Date(timeMs).toISOString(), transactions: transactions.length }
}

function readAddress(name: string, text: string): TronAddress {
  const parsed = parseTronAddress(text)
  if (!parsed)
    throw new SandboxRefusal(`${name} is not a TRON address (its checksum does not match): ${text}`)
  return parsed
}

function readAmount(text: string): UsdtUnits {
  const units = parseUsdt(text)
  if (units === null) throw new SandboxRefusal(`amount is not USDT as decimal text: ${text}`)
  return units
}

function readOptions(
  options: Partial<Record<'from' | 'token' | 'through', string>> & { fail?: (typeof failures)[number] },
) {
  const given = (name: 'from' | 'token' | 'through') =>
    options[name] === undefined ? undefined : readAddress(name, options[name])
  return { from: given('from'), token: given('token'), through: given('through'), fail: options.fail }
}

function readFacts({ contract, ...facts }: Static<typeof factsSchema>): TransactionFacts {
  return { ...facts, ...(contract !== undefined && { contract: readAddress('contract', contract) }) }
}

/** What is wrong with a body, with the name of the offender in it. */
function sentence(error: FastifySchemaValidationError & { parentSchema?: { description?: string } }): string {
  const { instancePath, keyword, message, params, parentSchema } = error
  const field = instancePath.slice(1).replaceAll('/', '.') || 'the body'
  if (typeof params.additionalProperty === 'string')
    return `${field} has no field ${params.additionalProperty}`
  if (Array.isArray(params.allowedValues)) return `${field} must be one of ${params.allowedValues.join(', ')}`
  if (keyword === 'pattern' && parentSchema?.description)
    return `${field} must be ${parentSchema.description}`
  return `${field} ${message}`
}

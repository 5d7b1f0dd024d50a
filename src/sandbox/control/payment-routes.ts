import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import { readAddress, readAmount } from '../chain/control-texts.ts'
import { makeCall } from '../chain/sandbox-calls.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import { makePayment, type PaymentOptions } from '../chain/sandbox-transactions.ts'
import type { SandboxTransaction, TransactionFacts } from '../chain/transaction-facts.ts'
import { callBody, type factsSchema, includeBody, sendBody, sendManyBody } from './control-schemas.ts'

/** Routes that pay, call contracts, and include transactions by their facts. All transactions wait for the next block. */
export function paymentRoutes(app: FastifyInstance, chain: SandboxChain): void {
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
  app.post<{ Body: Static<typeof callBody> }>(
    '/sandbox/call',
    { schema: { body: callBody } },
    async request => {
      const { logs, ...options } = request.body
      const parsed = logs.map(({ kind, to, from, token, amount }) => ({
        kind,
        to: to === undefined ? undefined : readAddress('to', to),
        from: from === undefined ? undefined : readAddress('from', from),
        token: token === undefined ? undefined : readAddress('token', token),
        amount: amount === undefined ? undefined : readAmount(amount),
      }))
      const [txid] = added(chain, [makeCall(chain.stamp(), parsed, readOptions(options))])
      return { txid }
    },
  )
  app.post<{ Body: Static<typeof includeBody> }>(
    '/sandbox/include',
    { schema: { body: includeBody } },
    async request => ({ txids: added(chain, request.body.transactions.map(readFacts)) }),
  )
}

function added(chain: SandboxChain, transactions: readonly SandboxTransaction[]): string[] {
  chain.add(transactions)
  return transactions.map(({ id }) => id)
}

function readOptions(
  options: Partial<Record<'from' | 'token' | 'through', string>> &
    Pick<PaymentOptions, 'fail' | 'unknownField'>,
) {
  const { fail, unknownField } = options
  const given = (name: 'from' | 'token' | 'through') =>
    options[name] === undefined ? undefined : readAddress(name, options[name])
  return { from: given('from'), token: given('token'), through: given('through'), fail, unknownField }
}

function readFacts({ contract, ...facts }: Static<typeof factsSchema>): TransactionFacts {
  return { ...facts, ...(contract !== undefined && { contract: readAddress('contract', contract) }) }
}

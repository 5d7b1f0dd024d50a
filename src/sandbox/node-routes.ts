import type { FastifyInstance, FastifyRequest } from 'fastify'
import { blockJson, nodeInfoJson, transactionInfoJson } from './java-tron-json.ts'
import type { SandboxBlock, SandboxChain } from './sandbox-chain.ts'

/**
 * What java-tron's HTTP API says of the chain, as much of it as the gateway asks: /wallet shows the head, /walletsolidity
 * the solidified part. GET takes its parameters from the query, POST from a JSON body, whatever the content type; errors
 * come with 200.
 */
export async function nodeRoutes(app: FastifyInstance, { chain }: { chain: SandboxChain }): Promise<void> {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: FastifyRequest, body: string) =>
    body === '' ? {} : JSON.parse(body),
  )
  app.setErrorHandler((error: Error, _request, reply) =>
    reply.code(200).send({ Error: `class ${javaName(error)} : ${error.message}` }),
  )
  const views = {
    wallet: () => chain.head,
    walletsolidity: () => chain.solid,
  }
  for (const [view, newest] of Object.entries(views)) {
    const known = (height: number): SandboxBlock | undefined =>
      height <= newest().height ? chain.block(height) : undefined
    const answers: Record<string, (parameters: Record<string, unknown>) => unknown> = {
      getnowblock: () => blockJson(newest()),
      getblockbynum: parameters => {
        const block = known(readNumber(parameters.num))
        return block ? blockJson(block) : {}
      },
      gettransactioninfobyblocknum: parameters => {
        const height = readNumber(parameters.num)
        if (height <= 0) return {}
        // `[]` for an empty block and for one that is not there, as real nodes have it.
        const block = known(height)
        return block ? block.transactions.map(transaction => transactionInfoJson(block, transaction)) : []
      },
      gettransactioninfobyid: parameters => {
        const block = chain.blockOf(String(parameters.value))
        if (!block || block.height > newest().height) return {}
        return transactionInfoJson(block, block.transactions.find(({ id }) => id === parameters.value)!)
      },
      ...(view === 'wallet' && { getnodeinfo: () => nodeInfoJson(chain.head, chain.solid) }),
    }
    for (const [name, answer] of Object.entries(answers)) {
      app.route({
        method: ['GET', 'POST'],
        url: `/${view}/${name}`,
        handler: async request =>
          answer(
            ((request.method === 'GET' ? request.query : request.body) ?? {}) as Record<string, unknown>,
          ),
      })
    }
  }
}

/** A missing number is 0, protobuf's default. */
function readNumber(value: unknown): number {
  const number = Number(value ?? 0)
  if (!Number.isInteger(number)) throw new TypeError(`For input string: "${value}"`)
  return number
}

function javaName(error: Error): string {
  if (error instanceof TypeError) return 'java.lang.NumberFormatException'
  return error instanceof SyntaxError ? 'com.alibaba.fastjson.JSONException' : 'java.lang.Exception'
}

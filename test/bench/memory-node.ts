import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { MessageFields } from '../../src/tron/message-fields.ts'
import { elementHead, encodeElement, encodeProtobuf } from '../../src/tron/protobuf.ts'
import { jsonAnswers, type MemoryAnswers, messageAnswers } from './memory-answers.ts'
import { firstHeight, makeMemoryChain, solidDepth } from './memory-chain.ts'

// A child process of the bench: a node that answers from memory, over HTTP and gRPC. See memory-chain.ts for its blocks.
// Told the number of blocks to follow.
const chain = makeMemoryChain(Number(process.argv[2]))
const { head, producers } = chain
const genesisId = '0'.repeat(64)

/** What a call asks for, over HTTP or gRPC alike. */
interface Asked {
  /** In lower case. */
  method: string
  isSolid: boolean
  /** Undefined: the newest. */
  height: number | undefined
  /** Of `getblockbylimitnext`, not included. */
  end: number
}

/** How one transport writes what is not a block, and several. */
interface Writing extends MemoryAnswers {
  nothing: Buffer
  noInfos: Buffer
  genesis: Buffer
  several(blocks: Buffer[][]): Buffer[]
  witnesses: Buffer
  /** Of any producer: its own key signs. */
  account: Buffer
}

let calls = 0 // Those of the bench itself, which asks for the figures, left out.

const zeros = '0'.repeat(64)
const json: Writing = {
  ...jsonAnswers(chain),
  nothing: Buffer.from('{}'),
  noInfos: Buffer.from('[]'),
  genesis: Buffer.from(
    `{"blockID":"${genesisId}","block_header":{"raw_data":{"txTrieRoot":"${zeros}","parentHash":"${zeros}"}}}`,
  ),
  several: blocks => [
    Buffer.from('{"block":['),
    ...blocks.flatMap((block, i) => (i === 0 ? block : [Buffer.from(','), ...block])),
    Buffer.from(']}'),
  ],
  witnesses: Buffer.from(
    JSON.stringify({ witnesses: producers.map(({ address }) => ({ address, isJobs: true })) }),
  ),
  account: Buffer.from('{"type":"Normal"}'),
}
const messages: Writing = {
  ...messageAnswers(chain),
  nothing: Buffer.alloc(0),
  noInfos: Buffer.alloc(0),
  genesis: Buffer.concat([
    encodeElement(2, encodeElement(1, encodeProtobuf([[3, Buffer.alloc(32)]]))),
    encodeElement(3, Buffer.from(genesisId, 'hex')),
  ]),
  several: blocks => blocks.flatMap(block => [elementHead(1, lengthOf(block)), ...block]),
  witnesses: Buffer.concat(
    producers.map(({ address }) =>
      encodeElement(
        1,
        encodeProtobuf([
          [1, Buffer.from(address, 'hex')],
          [9, 1],
        ]),
      ),
    ),
  ),
  account: encodeProtobuf([[2, 1]]),
}

/** Returns the parts of an answer. */
function answer(writing: Writing, { method, isSolid, height, end }: Asked): Buffer[] {
  calls++
  const newest = isSolid ? head - solidDepth : head
  const at = height ?? newest
  if (method === 'listwitnesses') return [writing.witnesses]
  if (method === 'getaccount') return [writing.account]
  if (method === 'getblockbylimitnext') {
    const count = Math.max(0, Math.min(end, newest + 1) - at)
    return writing.several(Array.from({ length: count }, (_, i) => writing.block(at + i)))
  }
  if (method === 'gettransactioninfobyblocknum') return at > newest ? [writing.noInfos] : writing.infos(at)
  if (at === 0) return [writing.genesis]
  if (at > newest) return [writing.nothing]
  return method === 'getblock' ? writing.header(at) : writing.block(at)
}

const http = createServer((request, response) => {
  let body = ''
  request.on('data', chunk => {
    body += chunk
  })
  request.on('end', () => {
    const [, service, method] = request.url!.split('/') as [string, string, string]
    const found =
      service === 'bench' ? [figures()] : answer(json, readBody(method, service === 'walletsolidity', body))
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': lengthOf(found) })
    response.cork()
    for (const part of found) response.write(part)
    response.end()
  })
})

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

function figures(): Buffer {
  const { user, system } = process.cpuUsage()
  return Buffer.from(JSON.stringify({ calls, cpuMs: (user + system) / 1000 }))
}

function readBody(method: string, isSolid: boolean, body: string): Asked {
  const { num, startNum, endNum, id_or_num } = JSON.parse(body || '{}')
  const height = num ?? startNum ?? id_or_num
  return {
    method,
    isSolid,
    height: height === undefined ? undefined : Number(height),
    end: endNum ?? 0,
  }
}

/** NumberMessage: 1 num. BlockLimit: 1 startNum, 2 endNum. BlockReq: 1 id_or_num, a text. */
function readMessage(method: string, isSolid: boolean, message: Buffer): Asked {
  // A number that is 0 is left out.
  const asked: Asked = { method, isSolid, height: method === 'getblockbynum' ? 0 : undefined, end: 0 }
  const fields = new MessageFields(message)
  while (fields.next()) {
    if (fields.number === 1) {
      asked.height = fields.wireType === 0 ? fields.integer() : Number(fields.bytes().toString())
    } else if (fields.number === 2 && fields.wireType === 0) asked.end = fields.integer()
  }
  return asked
}

const grpc = new Server({ 'grpc.max_send_message_length': -1 })
const asItIs = (bytes: Buffer) => bytes
const grpcMethods = [
  'GetNowBlock2',
  'GetBlockByNum2',
  'GetBlock',
  'GetBlockByLimitNext2',
  'GetTransactionInfoByBlockNum',
  'ListWitnesses',
  'GetAccount',
]
for (const service of ['Wallet', 'WalletSolidity']) {
  const definition = (name: string) => ({
    path: `/protocol.${service}/${name}`,
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  })
  const handle = (name: string) => {
    const method = name.replace(/2$/, '').toLowerCase()
    return ({ request }: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) =>
      done(null, Buffer.concat(answer(messages, readMessage(method, service === 'WalletSolidity', request))))
  }
  grpc.addService(
    Object.fromEntries(grpcMethods.map(name => [name, definition(name)])),
    Object.fromEntries(grpcMethods.map(name => [name, handle(name)])),
  )
}
const grpcPort = await new Promise<number>((resolve, reject) =>
  grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  ),
)
http.listen(0, '127.0.0.1', () => {
  const { port } = http.address() as AddressInfo
  process.send!({
    url: `http://127.0.0.1:${port}`,
    grpcUrl: `grpc://127.0.0.1:${grpcPort}`,
    first: { height: firstHeight, hash: chain.block(firstHeight).id },
  })
})

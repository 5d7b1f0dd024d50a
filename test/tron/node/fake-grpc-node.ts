import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { MessageFields } from '../../../src/tron/message-fields.ts'
import { encodeElement, encodeProtobuf, type ProtobufField } from '../../../src/tron/protobuf.ts'

/** A message, a status that the call ends with, or what the function does with the call. */
export type GrpcAnswer =
  | Buffer
  | { code: number; details: string }
  | ((call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void)

export interface GrpcCall {
  /** Such as `Wallet/GetNowBlock2`. */
  method: string
  /** Of the request: a height, or 0. */
  number: number
  metadata: Record<string, unknown>
}

/** A node played by grpc-js's own server. It answers as `behave` says. */
export interface FakeGrpcNode {
  url: string
  calls: GrpcCall[]
  behave: (call: GrpcCall) => GrpcAnswer
  close(): void
}

const methods = [
  'GetNowBlock2',
  'GetBlockByNum2',
  'GetBlock',
  'GetTransactionInfoByBlockNum',
  'GetBlockByLimitNext2',
]

/** @param services those it has: protocol.Wallet, protocol.WalletSolidity. */
export async function startFakeGrpcNode({
  services = ['Wallet', 'WalletSolidity'],
  credentials = ServerCredentials.createInsecure(),
}: {
  services?: readonly string[]
  credentials?: ServerCredentials
} = {}): Promise<FakeGrpcNode> {
  const server = new Server({ 'grpc.max_send_message_length': -1 })
  const node: FakeGrpcNode = {
    url: '',
    calls: [],
    behave: () => Buffer.alloc(0),
    close: () => server.forceShutdown(),
  }
  for (const service of services) {
    const names = methods.filter(name => service === 'Wallet' || name !== 'GetBlockByLimitNext2')
    const unary = (name: string) => ({
      path: `/protocol.${service}/${name}`,
      requestStream: false as const,
      responseStream: false as const,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    })
    const handle = (name: string) => (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      const asked = {
        method: `${service}/${name}`,
        number: numberOf(call.request),
        metadata: call.metadata.getMap(),
      }
      node.calls.push(asked)
      const answer = node.behave(asked)
      if (typeof answer === 'function') answer(call, done)
      else if (Buffer.isBuffer(answer)) done(null, answer)
      else done(answer)
    }
    server.addService(
      Object.fromEntries(names.map(name => [name, unary(name)])),
      Object.fromEntries(names.map(name => [name, handle(name)])),
    )
  }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port))),
  )
  node.url = `grpc://127.0.0.1:${port}`
  return node
}

function asItIs(bytes: Buffer): Buffer {
  return bytes
}

/** Of a NumberMessage, or of a BlockReq, which has it as text. */
function numberOf(request: Buffer): number {
  const fields = new MessageFields(request)
  while (fields.next()) {
    if (fields.number === 1)
      return fields.wireType === 0 ? fields.integer() : Number(fields.bytes().toString())
  }
  return 0
}

/** A field with any value, or a list of fields of one number: messages that no node would write can be made of them. */
export type Field = ProtobufField | [number: number, value: readonly Buffer[]]

/** Writes a message. Unlike `encodeProtobuf` it writes empty bytes too. */
export function message(...fields: readonly (Field | false)[]): Buffer {
  return Buffer.concat(
    fields.flatMap(field => {
      if (!field) return []
      const [number, value] = field
      if (typeof value === 'number') return [encodeProtobuf([[number, value]])]
      const all = typeof value === 'string' ? [Buffer.from(value)] : Array.isArray(value) ? value : [value]
      return (all as Buffer[]).map(bytes => encodeElement(number, bytes))
    }),
  )
}

export function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}

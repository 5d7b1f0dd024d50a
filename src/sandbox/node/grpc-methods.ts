import { heightOfBlockId } from '../../tron/block-id.ts'
import { MessageFields } from '../../tron/message-fields.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import type { Surface } from '../faults/fault-effect.ts'
import {
  blockMessage,
  infoMessage,
  listMessage,
  producerAccountMessage,
  witnessesMessage,
} from './java-tron-messages.ts'
import type { Call } from './node-door.ts'
import { shifted } from './wallet-endpoints.ts'

type Seen = Pick<Call, 'chain' | 'view' | 'effects'>

/** A method of java-tron's gRPC. What it answers is what its twin over HTTP does, so that a fault strikes both alike. */
export interface GrpcMethod {
  surface: Surface
  /** The path of the same call over HTTP: faults are set for paths. */
  twin: string
  /** Returns the height that the call asks for, if it names one. */
  heightOf(request: Buffer): number | undefined
  /** Returns what faults may change, before it is a message: a message, null for none, or a list of them. */
  answer(seen: Seen, request: Buffer): Buffer | null | Buffer[]
  /** What it answers when there is nothing. */
  nothing: null | readonly Buffer[]
}

const services: Record<string, { surface: Surface; path: string }> = {
  'protocol.Wallet': { surface: 'head', path: '/wallet' },
  'protocol.WalletSolidity': { surface: 'solid', path: '/walletsolidity' },
}
/** At most so many blocks in one answer. */
const blocksMax = 100

/** The part of java-tron's gRPC that the gateway uses, by the path of a call: `/protocol.Wallet/GetNowBlock2`. */
export const grpcMethods: ReadonlyMap<string, GrpcMethod> = new Map(
  Object.entries(services).flatMap(([service, { surface, path }]) => {
    const newest = ({ view }: Seen) => (surface === 'solid' ? view.solid : view.head)
    const known = (seen: Seen, height: number): SandboxBlock | undefined => {
      const asked = shifted(seen.effects, height)
      return asked <= newest(seen).height ? seen.view.block(asked) : undefined
    }
    const method = (
      name: string,
      twin: string,
      rest: Pick<GrpcMethod, 'answer' | 'nothing'> & Partial<GrpcMethod>,
    ): [string, GrpcMethod] => [
      `/${service}/${name}`,
      { surface, twin: `${path}/${twin}`, heightOf: () => undefined, ...rest },
    ]
    return [
      method('GetNowBlock2', 'getnowblock', {
        nothing: null,
        answer: seen => blockMessage(newest(seen), true),
      }),
      method('GetBlockByNum2', 'getblockbynum', {
        nothing: null,
        heightOf: readNumber,
        answer: (seen, request) => {
          const block = known(seen, readNumber(request))
          return block ? blockMessage(block, true) : null
        },
      }),
      method('GetBlock', 'getblock', {
        nothing: null,
        heightOf: request => heightNamed(readBlockRequest(request).idOrNumber),
        answer: (seen, request) => {
          const { idOrNumber, detail } = readBlockRequest(request)
          const height = heightNamed(idOrNumber)
          const block = height === undefined ? newest(seen) : known(seen, height)
          return block && (!isBlockId(idOrNumber) || block.id === idOrNumber)
            ? blockMessage(block, detail)
            : null
        },
      }),
      method('GetTransactionInfoByBlockNum', 'gettransactioninfobyblocknum', {
        nothing: [],
        heightOf: readNumber,
        answer: (seen, request) => {
          const height = readNumber(request)
          const block = height > 0 ? known(seen, height) : undefined
          return block ? block.transactions.map(transaction => infoMessage(block, transaction)) : []
        },
      }),
      method('ListWitnesses', 'listwitnesses', {
        nothing: [],
        answer: seen => witnessesMessage(seen.chain.producers.list(seen.view.elected)),
      }),
      method('GetAccount', 'getaccount', {
        nothing: null,
        answer: (seen, request) => {
          const producer = seen.chain.producers.find(readAccountAddress(request), seen.view.elected)
          return producer ? producerAccountMessage(producer) : null
        },
      }),
      ...(surface === 'head'
        ? [
            method('GetBlockByLimitNext2', 'getblockbylimitnext', {
              nothing: [],
              heightOf: request => readLimit(request).start,
              answer: (seen, request) => {
                const { start, end } = readLimit(request)
                if (end - start > blocksMax || start < 0) return []
                const heights = Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i)
                return heights.flatMap(height => {
                  const block = known(seen, height)
                  return block ? [blockMessage(block, true)] : []
                })
              },
            }),
          ]
        : []),
    ]
  }),
)

/** Writes the message of an answer. */
export function messageOf(answer: Buffer | null | readonly Buffer[]): Buffer {
  if (answer === null) return Buffer.alloc(0)
  return Buffer.isBuffer(answer) ? answer : listMessage(answer as readonly Buffer[])
}

/** NumberMessage: 1 num. A missing one is 0. */
function readNumber(request: Buffer): number {
  return readLimit(request).start
}

/** BlockLimit: 1 startNum, 2 endNum. */
function readLimit(request: Buffer): { start: number; end: number } {
  const limit = { start: 0, end: 0 }
  const fields = new MessageFields(request)
  while (fields.next()) {
    if (fields.number === 1) limit.start = fields.integer()
    else if (fields.number === 2) limit.end = fields.integer()
  }
  return limit
}

/** Account: 3 address. */
function readAccountAddress(request: Buffer): string {
  const fields = new MessageFields(request)
  let address = ''
  while (fields.next()) if (fields.number === 3) address = fields.bytes().toString('hex')
  return address
}

/** BlockReq: 1 id_or_num, 2 detail. */
function readBlockRequest(request: Buffer): { idOrNumber: string; detail: boolean } {
  const asked = { idOrNumber: '', detail: false }
  const fields = new MessageFields(request)
  while (fields.next()) {
    if (fields.number === 1) asked.idOrNumber = fields.bytes().toString()
    else if (fields.number === 2) asked.detail = fields.integer() === 1
  }
  return asked
}

/** Reads the height that an id or a number names. @returns undefined for neither: the newest block. */
function heightNamed(idOrNumber: string): number | undefined {
  if (idOrNumber === '') return undefined
  if (isBlockId(idOrNumber)) return heightOfBlockId(idOrNumber)
  if (!/^\d{1,15}$/.test(idOrNumber)) throw new TypeError('id must be legal block hash.')
  return Number(idOrNumber)
}

function isBlockId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

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
import { blocksAt, heightsBetween, shifted, transactionIn } from './wallet-endpoints.ts'

type Seen = Pick<Call, 'chain' | 'view' | 'effects' | 'kept'>

/** A method of java-tron's gRPC. What it answers is what its twin over HTTP does, so that a fault strikes both alike. */
export interface GrpcMethod {
  surface: Surface
  /** The path of the same call over HTTP: faults are set for paths. */
  twin: string
  /** Returns the height that the call asks for, if it names one. */
  heightOf(request: Buffer): number | undefined
  /** Returns the last height that the call asks for, where it asks for several. */
  lastOf?(request: Buffer): number
  /** Returns what faults may change, before it is a message: a message, null for none, or a list of them. */
  answer(seen: Seen, request: Buffer): Buffer | null | Buffer[]
  /** What it answers when there is nothing. */
  nothing: null | readonly Buffer[]
}

const services: Record<string, { surface: Surface; path: string }> = {
  'protocol.Wallet': { surface: 'head', path: '/wallet' },
  'protocol.WalletSolidity': { surface: 'solid', path: '/walletsolidity' },
}
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
        answer: seen => seen.kept.of(newest(seen), 'block message', wholeBlock),
      }),
      method('GetBlockByNum2', 'getblockbynum', {
        nothing: null,
        heightOf: readNumber,
        answer: (seen, request) => {
          const block = known(seen, readNumber(request))
          return block ? seen.kept.of(block, 'block message', wholeBlock) : null
        },
      }),
      method('GetBlock', 'getblock', {
        nothing: null,
        heightOf: request => heightNamed(readBlockRequest(request).idOrNumber),
        answer: (seen, request) => {
          const { idOrNumber, detail } = readBlockRequest(request)
          const height = heightNamed(idOrNumber)
          const block = height === undefined ? newest(seen) : known(seen, height)
          if (!block || (isBlockId(idOrNumber) && block.id !== idOrNumber)) return null
          return detail
            ? seen.kept.of(block, 'block message', wholeBlock)
            : seen.kept.of(block, 'header message', headerAlone)
        },
      }),
      method('GetTransactionInfoByBlockNum', 'gettransactioninfobyblocknum', {
        nothing: [],
        heightOf: readNumber,
        answer: (seen, request) => {
          const height = readNumber(request)
          const block = height > 0 ? known(seen, height) : undefined
          return block ? seen.kept.of(block, 'info messages', allInfos) : []
        },
      }),
      method('GetTransactionInfoById', 'gettransactioninfobyid', {
        nothing: null,
        answer: (seen, request) => {
          const found = transactionIn(seen.chain, readBytes(request), height => known(seen, height))
          return found ? infoMessage(found.block, found.transaction) : null
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
      // The service of the solidified view has no such method.
      ...(surface === 'head'
        ? [
            method('GetBlockByLimitNext2', 'getblockbylimitnext', {
              nothing: [],
              heightOf: request => readLimit(request).start,
              lastOf: request => readLimit(request).end - 1,
              answer: (seen, request) => {
                const heights = heightsBetween(readLimit(request)) ?? []
                return blocksAt(heights, height => known(seen, height)).map(block =>
                  seen.kept.of(block, 'block message', wholeBlock),
                )
              },
            }),
          ]
        : []),
    ]
  }),
)

const asIs = (message: Buffer) => message
const wholeBlock = { make: (block: SandboxBlock) => blockMessage(block, true), write: asIs }
const headerAlone = { make: (block: SandboxBlock) => blockMessage(block, false), write: asIs }
const allInfos = {
  make: (block: SandboxBlock) => block.transactions.map(one => infoMessage(block, one)),
  write: listMessage,
}

/** Writes the message of an answer. */
export function messageOf(answer: Buffer | null | readonly Buffer[]): Buffer {
  if (answer === null) return Buffer.alloc(0)
  return Buffer.isBuffer(answer) ? answer : listMessage(answer as readonly Buffer[])
}

/** NumberMessage: 1 num. A missing one is 0. */
function readNumber(request: Buffer): number {
  return readLimit(request).start
}

/** BytesMessage: 1 value. */
function readBytes(request: Buffer): string {
  const fields = new MessageFields(request)
  let value = ''
  while (fields.next()) if (fields.number === 1) value = fields.bytes().toString('hex')
  return value
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

import { heightOfBlockId } from '../../tron/block-id.ts'
import { hexAddress } from '../chain/contract-call.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import type { Effect, Surface } from '../faults/fault-effect.ts'
import { readAccount } from './constant-call.ts'
import {
  blockJson,
  headerJson,
  nodeInfoJson,
  producerAccountJson,
  transactionInfoJson,
  visibleJson,
  witnessesJson,
} from './java-tron-json.ts'
import type { Call, Endpoint, Parameters } from './node-door.ts'

const surfaces: Record<string, Surface> = { wallet: 'head', walletsolidity: 'solid' }

/**
 * The part of java-tron's HTTP API that the gateway uses: /wallet shows the head, /walletsolidity the solidified chain.
 * `visible` turns addresses to base58.
 */
export const walletEndpoints: readonly Endpoint[] = Object.entries(surfaces).flatMap(([name, surface]) => {
  const newest = ({ view }: Call) => (surface === 'solid' ? view.solid : view.head)
  const known = (call: Call, height: number): SandboxBlock | undefined => {
    const asked = shifted(call.effects, height)
    return asked <= newest(call).height ? call.view.block(asked) : undefined
  }
  const endpoint = (
    path: string,
    rest: Pick<Endpoint, 'answer' | 'nothing'> & Partial<Endpoint>,
  ): Endpoint => ({
    method: ['GET', 'POST'],
    url: `/${name}/${path}`,
    surface,
    ...rest,
    answer: call => {
      const answer = rest.answer(call)
      return `${call.parameters.visible}` === 'true' ? visibleJson(answer) : answer
    },
  })
  return [
    endpoint('getnowblock', { nothing: {}, answer: call => blockJson(newest(call)) }),
    endpoint('getblockbynum', {
      nothing: {},
      heightOf,
      answer: call => {
        const block = known(call, readHeight(call.parameters.num))
        return block ? blockJson(block) : {}
      },
    }),
    endpoint('getblock', {
      nothing: {},
      heightOf: ({ id_or_num: asked }) => (asked === undefined ? undefined : heightNamed(`${asked}`)),
      answer: call => {
        const { id_or_num: asked, detail } = call.parameters
        const block = asked === undefined ? newest(call) : known(call, heightNamed(`${asked}`))
        if (!block || (isBlockId(`${asked}`) && block.id !== asked)) return {}
        return `${detail}` === 'true' ? blockJson(block) : headerJson(block)
      },
    }),
    endpoint('gettransactioninfobyblocknum', {
      nothing: [],
      heightOf,
      answer: call => {
        const height = readHeight(call.parameters.num)
        if (height <= 0) return {}
        // `[]` for an empty block and for one that is not there, as real nodes answer.
        const block = known(call, height)
        return block ? block.transactions.map(transaction => transactionInfoJson(block, transaction)) : []
      },
    }),
    endpoint('gettransactioninfobyid', {
      nothing: {},
      answer: call => {
        const txid = `${call.parameters.value}`
        const place = call.chain.blockOf(txid)
        const block = place && known(call, place.height)
        const transaction = block?.transactions.find(({ id }) => id === txid)
        return block && transaction ? transactionInfoJson(block, transaction) : {}
      },
    }),
    endpoint('listwitnesses', {
      nothing: {},
      answer: call => witnessesJson(call.chain.producers.list(call.view.elected)),
    }),
    endpoint('getaccount', {
      nothing: {},
      answer: call => {
        // Only producers have accounts: there is no TRX here.
        const address = readAccount(call.parameters.address)
        const producer = address && call.chain.producers.find(hexAddress(address), call.view.elected)
        return producer ? producerAccountJson(producer) : {}
      },
    }),
    ...(name === 'wallet'
      ? [
          endpoint('getnodeinfo', {
            nothing: {},
            answer: ({ view }: Call) => nodeInfoJson(view.head, view.solid),
          }),
        ]
      : []),
  ]
})

/** Applies the faults that change which block is answered with. */
export function shifted(effects: readonly Effect[], height: number): number {
  return effects.reduce((asked, effect) => effect.heightAnswered?.(asked) ?? asked, height)
}

function heightOf({ num }: Parameters): number {
  return readHeight(num)
}

/** Reads a height. A missing one is 0, protobuf's default. */
function readHeight(value: unknown): number {
  const number = Number(value ?? 0)
  if (!Number.isInteger(number)) throw new TypeError(`For input string: "${value}"`)
  return number
}

function isBlockId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

/** Reads the height that an id or a number names. */
function heightNamed(idOrNumber: string): number {
  return isBlockId(idOrNumber) ? heightOfBlockId(idOrNumber) : readHeight(idOrNumber)
}

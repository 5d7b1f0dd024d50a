import { heightOfBlockId } from '../../tron/block-id.ts'
import { hexAddress } from '../chain/contract-call.ts'
import type { SandboxBlock } from '../chain/sandbox-block.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
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
import type { KeptAnswers } from './kept-answers.ts'
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
    endpoint('getnowblock', { nothing: {}, answer: call => call.kept.of(newest(call), 'block', wholeBlock) }),
    endpoint('getblockbynum', {
      nothing: {},
      heightOf,
      answer: call => {
        const block = known(call, readHeight(call.parameters.num))
        return block ? call.kept.of(block, 'block', wholeBlock) : {}
      },
    }),
    endpoint('getblock', {
      nothing: {},
      heightOf: ({ id_or_num: asked }) => (asked === undefined ? undefined : heightNamed(`${asked}`)),
      answer: call => {
        const { id_or_num: asked, detail } = call.parameters
        const block = asked === undefined ? newest(call) : known(call, heightNamed(`${asked}`))
        if (!block || (isBlockId(`${asked}`) && block.id !== asked)) return {}
        return `${detail}` === 'true'
          ? call.kept.of(block, 'block', wholeBlock)
          : call.kept.of(block, 'header', headerAlone)
      },
    }),
    endpoint('getblockbylimitnext', {
      nothing: {},
      heightOf: parameters => readLimit(parameters).start,
      lastOf: parameters => readLimit(parameters).end - 1,
      answer: call => {
        const heights = heightsBetween(readLimit(call.parameters))
        return heights
          ? blockList(
              call.kept,
              blocksAt(heights, height => known(call, height)),
            )
          : {}
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
        return block ? call.kept.of(block, 'infos', allInfos) : []
      },
    }),
    endpoint('gettransactioninfobyid', {
      nothing: {},
      answer: call => {
        const txid = `${call.parameters.value}`
        const found = transactionIn(call.chain, txid, height => known(call, height))
        return found ? transactionInfoJson(found.block, found.transaction) : {}
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

const write = (answer: unknown) => Buffer.from(JSON.stringify(answer))
const wholeBlock = { make: blockJson, write }
const headerAlone = { make: headerJson, write }
const allInfos = {
  make: (block: SandboxBlock) => block.transactions.map(one => transactionInfoJson(block, one)),
  write,
}

function blockList(kept: KeptAnswers, blocks: readonly SandboxBlock[]): object {
  const block = blocks.map(block => kept.of(block, 'block', wholeBlock))
  const written = block.flatMap((one, i) => [Buffer.from(i > 0 ? ',' : ''), kept.written(one)!])
  return kept.writtenAs({ block }, Buffer.concat([Buffer.from('{"block":['), ...written, Buffer.from(']}')]))
}

/** Applies the faults that change which block is answered with. */
export function shifted(effects: readonly Effect[], height: number): number {
  return effects.reduce((asked, effect) => effect.heightAnswered?.(asked) ?? asked, height)
}

/** Finds a transaction in the blocks that a view has. */
export function transactionIn(
  chain: SandboxChain,
  txid: string,
  known: (height: number) => SandboxBlock | undefined,
) {
  const place = chain.blockOf(txid)
  const block = place && known(place.height)
  const transaction = block?.transactions.find(({ id }) => id === txid)
  return block && transaction && { block, transaction }
}

/** At most so many blocks in one answer. */
const blocksMax = 100

/** The heights that a call for several blocks asks for. @param limit `end` is not included. @returns null when they are too many, or none. */
export function heightsBetween({ start, end }: { start: number; end: number }): number[] | null {
  if (end <= 0 || end <= start || end - start > blocksMax) return null
  return Array.from({ length: end - start }, (_, i) => start + i)
}

/** Returns the blocks that are there. */
export function blocksAt(
  heights: readonly number[],
  known: (height: number) => SandboxBlock | undefined,
): SandboxBlock[] {
  return heights.flatMap(height => known(height) ?? [])
}

function readLimit({ startNum, endNum }: Parameters): { start: number; end: number } {
  return { start: readHeight(startNum), end: readHeight(endNum) }
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

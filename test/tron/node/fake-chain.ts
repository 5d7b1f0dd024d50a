import { idOfHeaderBytes } from '../../../src/tron/block-id.ts'
import {
  blockMessage,
  headerRaw,
  jsonOfMessage,
  producerKey,
  rawData,
  resultMessage,
  transaction,
  transferData,
  triggerMessage,
  txidOf,
} from '../verify/block-messages.ts'
import { type InfoJson, payee, payer, transferLog } from './info-messages.ts'

// The chains that fake nodes serve. Their blocks are verified: ids, roots, transactions and signatures are what they should be.

/** What a node shows of one height: the block as gRPC sends it, and its infos as JSON has them. */
export interface Shown {
  block: Buffer
  infos: InfoJson[]
}

export interface FakeChain {
  /** Which chain; blocks of another fork have other ids from `at` on. */
  chain: string
  fork: { name: string; at: number } | null
  /** Changes what is shown of every height but the first, as a liar does. */
  lie: ((shown: Shown) => Shown) | null
}

/** Blocks are dated around now, so that heads are fresh. */
const startedAtMs = Date.now()
const startHeight = 1000

export function blockTimeMs(height: number): number {
  return Math.floor((startedAtMs - 60_000 + (height - startHeight) * 3_000) / 3_000) * 3_000
}

/** Reads what a node shows of a height over gRPC. */
export function shownAt(chain: FakeChain, height: number): Shown {
  const truth = { block: blockAt(chain, height), infos: infosAt(height) }
  return chain.lie && height > 0 ? chain.lie(truth) : truth
}

/** Reads what a node shows of a height over HTTP. */
export function shownJson(chain: FakeChain, height: number): Record<string, unknown> {
  return jsonOfMessage(shownAt(chain, height).block)
}

/** The name of the producer of a block, as `producerKey` takes it: another one on every fork. */
export function producerAt({ chain, fork }: Pick<FakeChain, 'chain' | 'fork'>, height: number): string {
  return fork && height >= fork.at ? `${chain} ${fork.name}` : chain
}

const hashes = new Map<string, string>()

export function blockHash(chain: Pick<FakeChain, 'chain' | 'fork'>, height: number): string {
  const keyOf = (at: number) => `${at} of ${chain.chain} ${chain.fork?.name} from ${chain.fork?.at}`
  let known = height
  while (known >= 0 && !hashes.has(keyOf(known))) known--
  for (let at = known + 1; at <= height; at++) {
    const parentHash = hashes.get(keyOf(at - 1)) ?? noParent
    hashes.set(keyOf(at), idOfHeaderBytes(at, headerRaw(partsOf(chain, at, parentHash))))
  }
  return hashes.get(keyOf(height))!
}

const noParent = '00'.repeat(32)
const blocks = new Map<string, Buffer>()

function blockAt(chain: FakeChain, height: number): Buffer {
  const hash = blockHash(chain, height)
  const parentHash = height === 0 ? noParent : blockHash(chain, height - 1)
  const block = blocks.get(hash) ?? blockMessage(partsOf(chain, height, parentHash))
  blocks.set(hash, block)
  return block
}

function partsOf(chain: Pick<FakeChain, 'chain' | 'fork'>, height: number, parentHash: string) {
  const { secret: key, address: producer } = producerKey(producerAt(chain, height))
  return {
    height,
    parentHash,
    producer,
    key,
    timeMs: blockTimeMs(height),
    transactions: transactionsAt(height),
  }
}

/** Every block has two transactions, a transfer of its height in units and one that failed; every tenth is empty. */
function transactionsAt(height: number): Buffer[] {
  if (height % 10 === 0) return []
  return [transfer(height), transaction(rawTransfer(height * 2), undefined, [resultMessage('REVERT')])]
}

/** A call of the token that succeeded. */
export function transfer(units: number): Buffer {
  return transaction(rawTransfer(units))
}

function rawTransfer(units: number): Buffer {
  return rawData(triggerMessage(transferData(payee, BigInt(units)), undefined, payer))
}

function infosAt(height: number): InfoJson[] {
  return transactionsAt(height).map((bytes, i) => ({
    id: txidOf(bytes),
    blockNumber: height,
    blockTimeStamp: blockTimeMs(height),
    ...(i === 0
      ? { receipt: { result: 'SUCCESS' }, log: [transferLog(height)] }
      : { receipt: { result: 'REVERT' }, result: 'FAILED' }),
  }))
}

export function txid(height: number, index: number): string {
  return txidOf(transactionsAt(height)[index]!)
}

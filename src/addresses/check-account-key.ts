import { setTimeout as sleep } from 'node:timers/promises'
import type { Config, NetworkName } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import { formatUsdt, usdt } from '../base/money.ts'
import { readCursor } from '../blocks/chain-store.ts'
import type { Pool } from '../db/pool.ts'
import { findCounter } from '../merchants/address-counter-store.ts'
import {
  findUsedAddresses,
  lookedAt,
  type UsedAddress,
  type UseSources,
} from '../merchants/find-used-addresses.ts'
import { type AccountKey, parseAccountKey } from '../tron/account-key.ts'
import { parseTronAddress, type TronAddress } from '../tron/address.ts'
import { networks } from '../tron/network.ts'
import { isGrpcUrl } from '../tron/node/grpc-views.ts'
import { createTokenBucket, type TokenBucket } from '../tron/node/token-bucket.ts'
import { createTronGridHistory } from '../tron/trongrid/trongrid-history.ts'

/** What asking nodes about an account key found. */
export type AccountKeyCheck =
  /** It is in use here, or is none: nobody was asked. */
  | { kind: 'not asked' }
  /** `text`: what was checked, as a sentence's end. */
  | { kind: 'unused'; text: string }
  | { kind: 'unchecked'; why: 'no nodes' | 'only gRPC' | 'no answer'; detail: string }
  /** `past`: an index beyond those that were used. */
  | { kind: 'used'; used: readonly UsedAddress[]; past: number }

/** How long the check may take, by default: it is up to 40 requests. */
const deadlineMs = 60_000

/**
 * Asks a node whether an account key that is new here was used before, so that its addresses are not given to other users.
 * @param key.firstIndex where its addresses are to begin; undefined: from index 0 on is looked at.
 */
export async function lookAtAccountKey(
  pool: Pool,
  config: Config,
  { xpub, firstIndex }: { xpub: string; firstIndex: number | undefined },
  withinMs = deadlineMs,
): Promise<AccountKeyCheck> {
  const account = readAccount(xpub)
  if (!account || (await findCounter(pool, account))) return { kind: 'not asked' }
  const chain = await readChain(pool, config)
  const sources = chain && openSources(config, chain)
  if (!sources) {
    const why = chain && config.tronNodes.length > 0 ? 'only gRPC' : 'no nodes'
    return { kind: 'unchecked', why, detail: '' }
  }
  try {
    const used = await inTime(findUsedAddresses(account, firstIndex ?? 0, sources), withinMs)
    if (used.length > 0) return { kind: 'used', used, past: used.at(-1)!.index + 1 }
    return { kind: 'unused', text: sources.checked }
  } catch (error) {
    return { kind: 'unchecked', why: 'no answer', detail: (error as Error).message }
  } finally {
    await sources.close()
  }
}

/**
 * The same for a command.
 * @returns what was checked, and what could not be, as a sentence; null for an account that is in use here.
 * @throws UsageError when addresses from `firstIndex` on were used; without one, from index 0 on.
 */
export async function checkAccountKey(
  pool: Pool,
  config: Config,
  key: { xpub: string; firstIndex: number | undefined },
): Promise<string | null> {
  const from = key.firstIndex ?? 0
  const range = `the addresses ${from} to ${from + lookedAt - 1} of this account key`
  const found = await lookAtAccountKey(pool, config, key)
  if (found.kind === 'not asked') return null
  if (found.kind === 'unused') return `Checked: ${range} ${found.text}`
  if (found.kind === 'used') throw new UsageError(usedBefore(found, key.firstIndex))
  const why = {
    'no nodes': 'TRON_NODES or TRON_NETWORK is not set',
    'only gRPC': 'balances are asked over HTTP, TRON_NODES names only gRPC, and RECONCILE_URL is not set',
    'no answer': `no answer: ${found.detail}`,
  }[found.why]
  return `Not checked: whether ${range} were used before (${why}). If they were, add the merchant with --first-index.`
}

/** @returns null for a key that `addMerchant` refuses, with all else that is wrong. */
function readAccount(xpub: string): AccountKey | null {
  try {
    return parseAccountKey(xpub)
  } catch (error) {
    if (error instanceof UsageError) return null
    throw error
  }
}

interface Chain {
  network: NetworkName
  usdtContract: TronAddress
}

/** Reads which chain the database is bound to, or is going to be. */
async function readChain(pool: Pool, config: Config): Promise<Chain | null> {
  const cursor = await readCursor(pool)
  const network = (cursor?.network as NetworkName | undefined) ?? config.tronNetwork
  if (!network) return null
  const given = cursor?.usdtContract ?? config.usdtContract
  const usdtContract = given === undefined ? networks[network].usdtContract : parseTronAddress(given)
  return usdtContract && { network, usdtContract }
}

/**
 * Any node knows what an address holds now. What it ever received only TronGrid lists. Both are asked over HTTP.
 * @returns null when there is nobody to ask.
 */
function openSources(
  config: Config,
  { network, usdtContract }: Chain,
): (UseSources & { checked: string; close(): Promise<void> }) | null {
  const node = config.tronNodes.find(({ solidUrl }) => !isGrpcUrl(solidUrl))
  const gridUrl = config.reconcileUrl ?? (node && isTronGrid(node.headUrl) ? node.headUrl : null)
  const nodeUrl = node?.solidUrl ?? (config.tronNodes.length > 0 ? gridUrl : null)
  if (nodeUrl === null) return null
  // A running watcher needs the other half.
  const allowed = config.nodeRequestsPerSecond ?? networks[network].pacing.requestsPerSecond
  const newPace = () => createTokenBucket({ requestsPerSecond: Math.max(1, allowed / 2) })
  const open = (baseUrl: string, pace: TokenBucket) =>
    createTronGridHistory({ baseUrl, apiKey: config.trongridApiKey, usdtContract, pace })
  const nodeHost = new URL(nodeUrl).host
  const isOneProvider = gridUrl !== null && new URL(gridUrl).host === nodeHost
  const pace = newPace()
  const gridPace = isOneProvider ? pace : newPace()
  const balances = open(nodeUrl, pace)
  const grid = gridUrl === null ? null : open(gridUrl, gridPace)
  return {
    isOneProvider,
    balanceOf: balances.balanceOf,
    hasReceived: grid && (address => hasAny(grid.received(address))),
    checked:
      gridUrl === null
        ? `hold no USDT (${nodeHost}). Whether they ever received any was not checked: RECONCILE_URL is not set.`
        : isOneProvider
          ? `never received any USDT (${nodeHost}).`
          : `hold no USDT (${nodeHost}) and never received any (${new URL(gridUrl).host}).`,
    close: async () => {
      pace.close()
      gridPace.close()
      await Promise.all([balances.close(), grid?.close()])
    },
  }
}

async function hasAny(all: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of all) return true
  return false
}

function isTronGrid(url: string): boolean {
  return /(^|\.)trongrid\.io$/.test(new URL(url).hostname)
}

async function inTime<T>(work: Promise<T>, withinMs: number): Promise<T> {
  const deadline = new AbortController()
  const late = sleep(withinMs, undefined, { signal: deadline.signal }).then(() => {
    throw new Error(`nothing within ${withinMs / 1000} s`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    deadline.abort()
    late.catch(() => undefined)
    work.catch(() => undefined)
  }
}

function usedBefore(
  { used, past }: Extract<AccountKeyCheck, { kind: 'used' }>,
  firstIndex: number | undefined,
): string[] {
  return [
    ...used.map(({ index, address, balance }) => {
      const what = balance === null ? 'has received USDT' : `holds ${formatUsdt(usdt(balance))} USDT`
      return `index ${index} of this account key, ${address}, ${what}`
    }),
    firstIndex === undefined
      ? `the account key was used before: give --first-index, beyond the last index that was used (${past} or more)`
      : `--first-index ${firstIndex}: give one beyond the last index that was used (${past} or more)`,
  ]
}

import type { Config, NetworkName } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import type { UsdtUnits } from '../base/money.ts'
import { readCursor } from '../blocks/chain-store.ts'
import type { Pool } from '../db/pool.ts'
import { parseTronAddress, type TronAddress } from '../tron/address.ts'
import { networks } from '../tron/network.ts'
import { isGrpcUrl } from '../tron/node/grpc-views.ts'
import { createTronNode } from '../tron/node/node-client.ts'
import { createTokenBucket } from '../tron/node/token-bucket.ts'
import { createTronGridHistory } from '../tron/trongrid/trongrid-history.ts'

/** Balances of USDT at a node, as of its newest solidified block. */
export interface Balances {
  balanceOf(address: TronAddress): Promise<UsdtUnits>
  /** The height of that block now. A balance that is read afterwards is of it or of a later one. */
  height(): Promise<number>
  close(): Promise<void>
}

/**
 * Opens the first node of TRON_NODES that is asked over HTTP, at half the configured rate, because a running watcher needs the
 * other half.
 * @throws UsageError when there is none, nothing is watched yet, or the node serves another chain.
 */
export async function openBalances(pool: Pool, config: Config): Promise<Balances> {
  const cursor = await readCursor(pool)
  const usdtContract = cursor && parseTronAddress(cursor.usdtContract)
  if (!usdtContract) throw new UsageError('nothing is watched yet: run `gateway start watcher` first')
  const urls = config.tronNodes.find(({ solidUrl }) => !isGrpcUrl(solidUrl))
  if (!urls)
    throw new UsageError(
      '--balance asks a node over HTTP, and TRON_NODES names none: add one, or leave it out',
    )
  const allowed =
    config.nodeRequestsPerSecond ?? networks[cursor.network as NetworkName].pacing.requestsPerSecond
  const pace = createTokenBucket({ requestsPerSecond: Math.max(1, allowed / 2) })
  const apiKey = config.trongridApiKey
  const node = createTronNode({ ...urls, apiKey, usdtContract, bucket: pace })
  const balances = createTronGridHistory({ baseUrl: urls.solidUrl, apiKey, usdtContract, pace })
  const close = async () => {
    pace.close()
    await Promise.all([node.close(), balances.close()])
  }
  try {
    if ((await node.genesisId()) !== cursor.genesisId)
      throw new UsageError(
        `the node ${node.name} serves another chain than the one that this database is bound to`,
      )
  } catch (error) {
    await close()
    throw error
  }
  return { balanceOf: balances.balanceOf, height: async () => (await node.solidHead()).height, close }
}

import { addressToHex, type TronAddress } from '../address.ts'
import { asList, asObject } from './answer-fields.ts'
import {
  readBlock,
  readBlockFields,
  readBlockListFields,
  readTransactionInfo,
  readTransactionInfos,
} from './node-answers.ts'
import { NodeError } from './node-error.ts'
import { createNodeHttp, endpoint } from './node-http.ts'
import { readProducers, readSigners } from './producer-answers.ts'
import type { Turn } from './token-bucket.ts'
import type { WalletView, WalletViews } from './wallet-view.ts'

/**
 * Opens the two views of a node over java-tron's HTTP API.
 * @param options.headUrl where /wallet is.
 * @param options.solidUrl where /walletsolidity is: another port of your own node, the same host at a provider.
 */
export function openHttpViews(
  options: { headUrl: string; solidUrl: string; usdtContract: TronAddress } & Omit<
    Parameters<typeof createNodeHttp>[0],
    'baseUrls'
  >,
): WalletViews {
  const { headUrl, solidUrl } = options
  const http = createNodeHttp({ ...options, baseUrls: [headUrl, solidUrl] })
  const usdtContract = addressToHex(options.usdtContract)
  const view = (baseUrl: string): WalletView => {
    const ask = async (path: string, body: object, token: string | null, turn?: Turn) =>
      readBlock(await http.post(endpoint(baseUrl, path), body, { turn, read: readBlockFields }), token)
    return {
      block: (height, turn) => ask('/getblockbynum', { num: height }, usdtContract, turn),
      header: height => ask('/getblock', { id_or_num: String(height), detail: false }, null),
      newest: turn => ask('/getnowblock', {}, usdtContract, turn),
      newestHeader: turn => ask('/getblock', { detail: false }, null, turn),
      async blocks(from, count) {
        const body = { startNum: from, endNum: from + count }
        const url = endpoint(baseUrl, '/getblockbylimitnext')
        const answer = await http.post(url, body, { read: readBlockListFields })
        const list = asList(asObject(answer, 'the answer').block ?? [], 'block')
        if (list.length > count) throw new NodeError('failed', `more than ${count} blocks came`)
        return list.flatMap(block => readBlock(block, usdtContract) ?? [])
      },
      infos: async (height, turn = 'ahead') => {
        const url = endpoint(baseUrl, '/gettransactioninfobyblocknum')
        return readTransactionInfos(await http.post(url, { num: height }, { turn }))
      },
      info: async (txid, turn) => {
        const url = endpoint(baseUrl, '/gettransactioninfobyid')
        return readTransactionInfo(await http.post(url, { value: txid }, { turn }))
      },
    }
  }
  const wallet = (path: string) => endpoint(endpoint(headUrl, '/wallet').href, path)
  return {
    hasSolid: () => true,
    producers: async () => readProducers(await http.post(wallet('/listwitnesses'), {})),
    signersOf: async producer =>
      readSigners(await http.post(wallet('/getaccount'), { address: producer }), producer),
    head: view(endpoint(headUrl, '/wallet').href),
    solid: view(endpoint(solidUrl, '/walletsolidity').href),
    check: async () => {},
    close: () => http.close(),
  }
}

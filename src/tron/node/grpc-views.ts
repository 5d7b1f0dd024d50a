import { addressToHex, type TronAddress } from '../address.ts'
import { encodeProtobuf } from '../protobuf.ts'
import { readBlockMessage, readBlocksMessage, readInfoMessage, readInfosMessage } from './grpc-messages.ts'
import { NodeError, notImplemented } from './node-error.ts'
import { createNodeGrpc, type NodeGrpc } from './node-grpc.ts'
import { readProducersMessage, readSignersMessage } from './producer-answers.ts'
import type { Turn } from './token-bucket.ts'
import type { WalletView, WalletViews } from './wallet-view.ts'

/** Tells whether a node is asked over gRPC. */
export function isGrpcUrl(url: string): boolean {
  return /^grpcs?:/i.test(url)
}

/**
 * Opens the two views of a node over gRPC.
 * @param options.headUrl where protocol.Wallet is.
 * @param options.solidUrl where protocol.WalletSolidity is: another port of a full node. The same URL at a node that has both
 * on one port.
 */
export function openGrpcViews(
  options: { headUrl: string; solidUrl: string; usdtContract: TronAddress } & Omit<
    Parameters<typeof createNodeGrpc>[0],
    'url'
  >,
): WalletViews {
  const { headUrl, solidUrl } = options
  const headPort = createNodeGrpc({ ...options, url: headUrl })
  const solidPort = solidUrl === headUrl ? headPort : createNodeGrpc({ ...options, url: solidUrl })
  const usdtContract = addressToHex(options.usdtContract)
  const head = view(headPort, 'protocol.Wallet', usdtContract)
  const solid = view(solidPort, 'protocol.WalletSolidity', usdtContract)
  let hasSolid = true
  return {
    hasSolid: () => hasSolid,
    head,
    solid,
    producers: () => headPort.call('/protocol.Wallet/ListWitnesses', empty, { read: readProducersMessage }),
    signersOf: producer =>
      headPort.call('/protocol.Wallet/GetAccount', accountMessage(producer), {
        read: message => readSignersMessage(message, producer),
      }),
    async check() {
      await offered(
        head.newest('ahead'),
        () => `${new URL(headUrl).host} does not serve protocol.Wallet over gRPC`,
      )
      // A full node's own port has the head alone. Where solidity can be counted, that is enough.
      if (solidUrl === headUrl) hasSolid = await isOffered(solid.newest('ahead'))
      else await offered(solid.newest('ahead'), () => wrongSolidUrl(headUrl, solidUrl))
    },
    async close() {
      headPort.close()
      solidPort.close()
    },
  }
}

function view(port: NodeGrpc, service: string, usdtContract: string): WalletView {
  const read = (message: Buffer) => readBlockMessage(message, usdtContract)
  const askBlock = (method: string, request: Buffer, turn?: Turn) =>
    port.call(`/${service}/${method}`, request, { turn, read })
  return {
    block: (height, turn) => askBlock('GetBlockByNum2', numberMessage(height), turn),
    header: height => askBlock('GetBlock', blockRequest(String(height))),
    newest: turn => askBlock('GetNowBlock2', empty, turn),
    newestHeader: turn => askBlock('GetBlock', empty, turn),
    blocks: (from, count) =>
      port.call(`/${service}/GetBlockByLimitNext2`, blockLimit(from, from + count), {
        read: message => readBlocksMessage(message, usdtContract, count),
      }),
    infos: (height, turn = 'ahead') =>
      port.call(`/${service}/GetTransactionInfoByBlockNum`, numberMessage(height), {
        turn,
        read: readInfosMessage,
      }),
    info: (txid, turn) =>
      port.call(`/${service}/GetTransactionInfoById`, bytesMessage(txid), { turn, read: readInfoMessage }),
  }
}

const empty = Buffer.alloc(0)

/** NumberMessage: 1 num. */
function numberMessage(height: number): Buffer {
  return encodeProtobuf([[1, height]])
}

/** BytesMessage: 1 value. */
function bytesMessage(hex: string): Buffer {
  return encodeProtobuf([[1, Buffer.from(hex, 'hex')]])
}

/** Account: 3 address. */
function accountMessage(address: string): Buffer {
  return encodeProtobuf([[3, Buffer.from(address, 'hex')]])
}

/** BlockLimit: 1 startNum, 2 endNum, which is not included. */
function blockLimit(from: number, end: number): Buffer {
  return encodeProtobuf([
    [1, from],
    [2, end],
  ])
}

/** BlockReq: 1 id_or_num, 2 detail. Without detail: the header alone. Without both: the newest header. */
function blockRequest(idOrNum: string): Buffer {
  return encodeProtobuf([[1, idOrNum]])
}

async function isOffered(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return true
  } catch (error) {
    if (!(error instanceof NodeError && error.status === notImplemented)) throw error
    return false
  }
}

async function offered(call: Promise<unknown>, why: () => string): Promise<void> {
  // Nothing else is for ever: a service in front of the node may answer with 403 or 404 for a while.
  if (!(await isOffered(call))) throw new NodeError('failed', why(), { wrongSetting: true })
}

/** Says how to name the port that says what is solid. */
export function wrongSolidUrl(headUrl: string, solidUrl: string): string {
  const { host, hostname, protocol } = new URL(solidUrl)
  const said = `${host} does not serve protocol.WalletSolidity over gRPC, so it cannot say which blocks are irreversible`
  const { host: headHost, protocol: headProtocol } = new URL(headUrl)
  return `${said}: name the port that does after the first, as ${headProtocol}//${headHost}|${protocol}//${hostname}:50061`
}

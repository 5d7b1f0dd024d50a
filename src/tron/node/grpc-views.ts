import { addressToBytes, type TronAddress } from '../address.ts'
import { encodeProtobuf } from '../protobuf.ts'
import { readBlockMessage, readInfosMessage } from './grpc-messages.ts'
import { NodeError, notImplemented } from './node-error.ts'
import { createNodeGrpc, type NodeGrpc } from './node-grpc.ts'
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
  const usdtContract = addressToBytes(options.usdtContract).toString('hex')
  const head = view(headPort, 'protocol.Wallet', usdtContract)
  const solid = view(solidPort, 'protocol.WalletSolidity', usdtContract)
  return {
    head,
    solid,
    async check() {
      await offered(
        head.newest(true),
        () => `${new URL(headUrl).host} does not serve protocol.Wallet over gRPC`,
      )
      await offered(solid.newest(true), () => wrongSolidUrl(headUrl, solidUrl))
    },
    async close() {
      headPort.close()
      solidPort.close()
    },
  }
}

function view(port: NodeGrpc, service: string, usdtContract: string): WalletView {
  const read = (message: Buffer) => readBlockMessage(message, usdtContract)
  const askBlock = (method: string, request: Buffer, ahead = false) =>
    port.call(`/${service}/${method}`, request, { ahead, read })
  return {
    block: (height, ahead) => askBlock('GetBlockByNum2', numberMessage(height), ahead),
    header: height => askBlock('GetBlock', blockRequest(String(height))),
    newest: ahead => askBlock('GetNowBlock2', empty, ahead),
    newestHeader: ahead => askBlock('GetBlock', empty, ahead),
    infos: height =>
      port.call(`/${service}/GetTransactionInfoByBlockNum`, numberMessage(height), {
        ahead: true,
        read: readInfosMessage,
      }),
  }
}

const empty = Buffer.alloc(0)

/** NumberMessage: 1 num. */
function numberMessage(height: number): Buffer {
  return encodeProtobuf([[1, height]])
}

/** BlockReq: 1 id_or_num, 2 detail. Without detail: the header alone. Without both: the newest header. */
function blockRequest(idOrNum: string): Buffer {
  return encodeProtobuf([[1, idOrNum]])
}

async function offered(call: Promise<unknown>, why: () => string): Promise<void> {
  try {
    await call
  } catch (error) {
    // Nothing else is for ever: a service in front of the node may answer with 403 or 404 for a while.
    if (!(error instanceof NodeError && error.status === notImplemented)) throw error
    throw new NodeError('failed', why(), { wrongSetting: true })
  }
}

function wrongSolidUrl(headUrl: string, solidUrl: string): string {
  const { host, hostname, protocol } = new URL(solidUrl)
  const said = `${host} does not serve protocol.WalletSolidity over gRPC, so it cannot say which blocks are irreversible`
  const { host: headHost, protocol: headProtocol } = new URL(headUrl)
  return `${said}: name the port that does after the first, as ${headProtocol}//${headHost}|${protocol}//${hostname}:50061`
}

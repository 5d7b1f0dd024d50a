import type { TronAddress } from '../../tron/address.ts'
import type { GridRow } from '../chain/grid-row.ts'
import type { SandboxChain } from '../chain/sandbox-chain.ts'
import { sandboxAddresses } from '../chain/sandbox-transactions.ts'
import { readTokenEvent } from '../chain/token-event.ts'
import type { ChainView } from './chain-view.ts'

const decimals = 6

/** Lists the token events from or to an address that the node shows, oldest first. Failed transactions have none. */
export function rowsOf(address: TronAddress, chain: SandboxChain, view: ChainView): GridRow[] {
  const rows: GridRow[] = []
  for (const { height, timeMs, transactions } of chain.blocksOf(address)) {
    if (height > view.head.height) break
    const unconfirmed = height > view.solid.height
    for (const [txIndex, { id: txid, result, logs }] of transactions.entries()) {
      if (result !== 'SUCCESS') continue
      for (const [logIndex, log] of logs.entries()) {
        const event = readTokenEvent(log)
        if (event?.from !== address && event?.to !== address) continue
        rows.push({ place: [height, txIndex, logIndex, 0], event, txid, timeMs, unconfirmed })
      }
    }
  }
  return rows
}

/** Writes a row as TronGrid does: no log index, no height, the value as decimal text. */
export function gridRowJson({ event, txid, timeMs, unconfirmed }: GridRow): object {
  return {
    transaction_id: txid,
    token_info: tokenInfo(event.token),
    block_timestamp: timeMs,
    from: event.from,
    to: event.to,
    type: event.type,
    value: event.value.toString(),
    ...(unconfirmed && { _unconfirmed: true }),
  }
}

/** The lookalike has the name and symbol of USDT. Only the address distinguishes them. */
function tokenInfo(address: TronAddress): object {
  const { usdt, lookalike } = sandboxAddresses
  return address === usdt || address === lookalike
    ? { symbol: 'USDT', address, decimals, name: 'Tether USD' }
    : { symbol: 'TKN', address, decimals, name: 'Token' }
}

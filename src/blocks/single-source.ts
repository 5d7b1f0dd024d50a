/** What has to be known of a node to say how far it can be believed alone. */
export interface KnownNode {
  host: string
  transport: 'http' | 'grpc'
}

/**
 * Says what an operator has to know whose nodes are one host on the main network, asked over HTTP: its JSON lacks parts of the
 * blocks, so what they pay is not always known to be signed, and no second host can confirm it.
 * @returns null where that is not so.
 */
export function singleSourceWarning(network: string, nodes: readonly KnownNode[]): string | null {
  if (network !== 'mainnet' || nodes.length === 0) return null
  const isOneHost = new Set(nodes.map(({ host }) => host)).size === 1
  if (!isOneHost || nodes.some(({ transport }) => transport === 'grpc')) return null
  return (
    'the only node host is asked over HTTP: payments above CREDIT_ALONE_AMOUNT may wait. ' +
    'Add a node of another operator to TRON_NODES, or a gRPC URL (grpc://host:50051)'
  )
}

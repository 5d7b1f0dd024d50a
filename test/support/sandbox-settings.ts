/**
 * The settings of a gateway on a sandbox's chain that takes any free port and may call this machine.
 * @param database its URL.
 * @param nodes the URL of the sandbox's node.
 */
export function sandboxSettings({
  database,
  masterKey,
  nodes,
}: {
  database: string
  masterKey: Buffer
  nodes: string
}) {
  return {
    DATABASE_URL: database,
    MASTER_KEY: masterKey.toString('hex'),
    TRON_NETWORK: 'sandbox',
    TRON_NODES: nodes,
    PORT: '0',
    CALLBACK_ALLOWED_NETWORKS: '127.0.0.0/8',
  }
}

import { formatUsdt } from '../../base/money.ts'
import { promptlyMs } from '../../db/pool.ts'

/** What the sandbox's buttons send. */
export const sandboxPayments = ['exact', 'half', 'double', 'late'] as const
export type SandboxPayment = (typeof sandboxPayments)[number]

/**
 * Pays an order on a sandbox, by the control API of its node. For `late` the caller has ended the order's window.
 * @param amount base units: what the order asks for.
 * @throws Error when the node does not do it.
 */
export async function payOnSandbox(
  nodeUrl: string,
  what: SandboxPayment,
  { address, amount }: { address: string; amount: bigint },
): Promise<void> {
  const units = what === 'half' ? (amount + 1n) / 2n : what === 'double' ? amount * 2n : amount
  const response = await fetch(`${nodeUrl}/sandbox/send`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ to: address, amount: formatUsdt(units) }),
    signal: AbortSignal.timeout(promptlyMs),
  })
  if (!response.ok) throw new Error(`the sandbox's node answered ${response.status}`)
}

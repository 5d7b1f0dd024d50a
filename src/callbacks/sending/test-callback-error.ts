import type { FailureKind } from '../outbox/callback.ts'
import type { Wanted } from './is-acknowledgement.ts'
import type { SendOutcome } from './send-callback.ts'

/**
 * Says in a sentence for the merchant why a test was not delivered. For failures below HTTP it gives the kind only: the
 * messages of these errors may name addresses and ports of our own network.
 * @param wanted what the merchant's answers have to be.
 * @returns null when it was delivered.
 */
export function testError(outcome: SendOutcome, wanted: Wanted, deadlineMs: number): string | null {
  switch (outcome.kind) {
    case 'acknowledged':
      return null
    case 'refused':
      return refusal(outcome.status, wanted)
    case 'failed':
      return `${outcome.failure}: ${outcome.failure === 'timeout' ? `no complete answer within ${deadlineMs} ms` : sentences[outcome.failure]}`
  }
}

function refusal(status: number, { acknowledgement, acknowledgementAnywhere }: Wanted): string {
  if (status >= 300 && status <= 399) return `refused: status ${status}; redirects are not followed`
  if (status < 200 || status > 299) return `refused: status ${status}; only a 2xx acknowledges`
  if (acknowledgementAnywhere) return `refused: a 2xx acknowledges only with "${acknowledgement}" in its body`
  return `refused: a 2xx acknowledges only if its body is "${acknowledgement}", or {"msg":"${acknowledgement}"}`
}

const sentences: Record<Exclude<FailureKind, 'timeout'>, string> = {
  no_url: 'there is no URL to send to',
  no_key: 'the merchant has no promoted key to sign with',
  blocked: 'callbacks are not sent to this URL, or to the address that its name resolves to',
  dns: 'the name cannot be resolved',
  connect: 'the connection failed',
  tls: 'no trusted TLS connection: check the certificate, its chain, name and dates',
  reset: 'the connection broke off',
  bad_answer: 'the answer is not valid HTTP',
  network: 'the network failed',
}

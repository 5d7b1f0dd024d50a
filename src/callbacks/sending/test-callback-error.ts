import type { FailureKind } from '../outbox/callback.ts'
import type { SendOutcome } from './send-callback.ts'

/**
 * Says in a sentence for the merchant why a test was not delivered. For failures below HTTP it gives the kind only: the
 * messages of these errors may name addresses and ports of our own network.
 * @param acknowledgement the word that the merchant's answers must contain, if any.
 * @returns null when it was delivered.
 */
export function testError(
  outcome: SendOutcome,
  acknowledgement: string | null,
  deadlineMs: number,
): string | null {
  switch (outcome.kind) {
    case 'acknowledged':
      return null
    case 'refused':
      return refusal(outcome.status, acknowledgement)
    case 'failed':
      return `${outcome.failure}: ${outcome.failure === 'timeout' ? `no complete answer within ${deadlineMs} ms` : sentences[outcome.failure]}`
  }
}

function refusal(status: number, acknowledgement: string | null): string {
  if (status >= 300 && status <= 399) return `refused: status ${status}; redirects are not followed`
  if (status < 200 || status > 299) return `refused: status ${status}; only a 2xx acknowledges`
  return `refused: a 2xx acknowledges only with "${acknowledgement}" in its body`
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

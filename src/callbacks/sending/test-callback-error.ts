import type { FailureKind } from '../outbox/callback.ts'
import type { SendOutcome } from './send-callback.ts'

/**
 * Why a test was not delivered, for the merchant to read. Of what happened below HTTP it says the kind and no more: an
 * error's own words may name addresses and ports that are not the merchant's business.
 * @param acknowledgement the word the merchant wants in an answer's body, if any.
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
  if (status >= 300 && status <= 399) return `refused: status ${status}, and redirects are not followed`
  if (status < 200 || status > 299) return `refused: status ${status}, and only a 2xx acknowledges`
  return `refused: a 2xx acknowledges only with "${acknowledgement}" in its body`
}

const sentences: Record<Exclude<FailureKind, 'timeout'>, string> = {
  no_url: 'there is no URL to send to',
  no_key: 'the merchant has no promoted key to sign with',
  blocked: 'callbacks do not go to this URL, or to the address behind its name',
  dns: 'the name cannot be resolved',
  connect: 'no connection can be made',
  tls: 'no trusted TLS: look at the certificate, its chain, its name and its dates',
  reset: 'the connection broke off',
  bad_answer: 'what came back is not HTTP',
  network: 'the network failed',
}

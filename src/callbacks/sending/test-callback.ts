import { randomBytes, randomUUID } from 'node:crypto'
import type { Agent } from 'undici'
import { type Clock, systemClock } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { checkCallbackUrl } from '../../egress/egress-guard.ts'
import { createGuardedAgent } from '../../egress/guarded-agent.ts'
import type { Merchant } from '../../merchants/merchant.ts'
import type { CallbackFacts } from '../outbox/callback.ts'
import { attemptCallback } from './attempt-callback.ts'
import { testError } from './test-callback-error.ts'
import { openTestTurns, type TakeTurn } from './test-callback-turns.ts'

/** From the first DNS question to the answer's last byte: a second less than a call to the API may take. */
export const testDeadlineMs = 7_000

/** What tests are sent with. */
export interface TestDesk {
  /** From `createGuardedAgent`: the guard of every callback. */
  agent: Agent
  allowedNetworks: readonly string[]
  deadlineMs: number
  takeTurn: TakeTurn
  clock: Clock
  log: Logger
}

/**
 * Opens what tests are sent with. The agent is the API's own: a courier's connections are for what is owed.
 * @param clock of the sample's `t`.
 */
export function openTestDesk(options: {
  config: { callbackAllowedNetworks: readonly string[] }
  clock?: Clock
  log: Logger
}): TestDesk {
  const { clock = systemClock, log } = options
  const allowedNetworks = options.config.callbackAllowedNetworks
  return {
    agent: createGuardedAgent({ allowedNetworks, connectTimeoutMs: testDeadlineMs }),
    allowedNetworks,
    deadlineMs: testDeadlineMs,
    takeTurn: openTestTurns(clock),
    clock,
    log,
  }
}

/** What came back of a test. */
export interface TestedCallback {
  url: string
  delivered: boolean
  status: number | null
  durationMs: number
  /** The first 2 KiB of the answer; null when there was none. */
  answer: string | null
  /** Why it was not delivered, in a sentence. */
  error: string | null
}

/**
 * Sends a merchant a sample callback, signed and guarded as all are, and waits for what comes of it. It announces nothing:
 * no database is asked, nothing of it is kept.
 * @param notifyUrl null: to the merchant's default.
 * @throws GatewayError notify_url_required, bad_notify_url; rate_limited or unavailable when it is not its turn.
 */
export async function sendTestCallback(
  desk: TestDesk,
  merchant: Merchant,
  notifyUrl: string | null,
): Promise<TestedCallback> {
  if (notifyUrl === null && merchant.callbackUrl === null)
    throw new GatewayError('notify_url_required', 'notify_url: missing, and the merchant has no default one')
  const problem = notifyUrl === null ? null : checkCallbackUrl(notifyUrl, desk.allowedNetworks)
  if (problem !== null) throw new GatewayError('bad_notify_url', `notify_url ${problem}`)
  const giveBack = desk.takeTurn(merchant.id)
  try {
    const sample = { notifyUrl, facts: sampleFacts(), now: desk.clock.now() }
    const { url, outcome } = await attemptCallback(sample, merchant, desk)
    const error = testError(outcome, merchant.acknowledgement, desk.deadlineMs)
    const tested: TestedCallback = {
      url,
      delivered: outcome.kind === 'acknowledged',
      status: outcome.status ?? null,
      durationMs: outcome.durationMs,
      answer: outcome.kind === 'failed' ? null : outcome.answer,
      error,
    }
    const { status, durationMs } = tested
    desk.log.info({ merchantId: merchant.id, status, durationMs, error }, 'callback.tested')
    return tested
  } finally {
    giveBack()
  }
}

/** What a sample says: nothing was paid, for no order there is, by a transaction that cannot be. Its key is its own. */
function sampleFacts(): CallbackFacts {
  return {
    key: `cb_${randomBytes(16).toString('hex')}`,
    orderid: `test-${randomUUID()}`,
    ordersn: `cz-${randomUUID().replaceAll('-', '')}`,
    localusermark: 'test',
    bodyAmount: 0n,
    txid: '0'.repeat(64),
    logIndex: 0,
    transferAmount: 0n,
    received: 0n,
    orderAmount: 0n,
    orderState: 'underpaid',
    late: false,
  }
}

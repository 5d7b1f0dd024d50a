import { randomBytes, randomUUID } from 'node:crypto'
import type { Agent } from 'undici'
import { type Clock, systemClock } from '../../base/clock.ts'
import { GatewayError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { legacy, usdt } from '../../base/money.ts'
import { checkCallbackUrl } from '../../egress/egress-guard.ts'
import { createGuardedAgent } from '../../egress/guarded-agent.ts'
import type { Merchant } from '../../merchants/merchant.ts'
import type { CallbackFacts } from '../outbox/callback.ts'
import { attemptCallback } from './attempt-callback.ts'
import { type ShownRequest, showRequest } from './shown-request.ts'
import { testError } from './test-callback-error.ts'
import { limitTests, type StartTest } from './test-callback-limits.ts'

/** From the first DNS query to the last byte of the answer: a second less than a call of the API may take. */
export const testDeadlineMs = 7_000

/** What test callbacks are sent with. */
export interface TestContext {
  /** From `createGuardedAgent`, like the courier's. */
  agent: Agent
  allowedNetworks: readonly string[]
  deadlineMs: number
  startTest: StartTest
  clock: Clock
  log: Logger
}

/**
 * Opens what test callbacks are sent with. The API has an agent of its own, so that tests take no connections from couriers.
 * @param options.clock sets the sample's `t`.
 */
export function openTestContext(options: {
  config: { callbackAllowedNetworks: readonly string[] }
  clock?: Clock
  log: Logger
}): TestContext {
  const { clock = systemClock, log } = options
  const allowedNetworks = options.config.callbackAllowedNetworks
  return {
    agent: createGuardedAgent({ allowedNetworks, connectTimeoutMs: testDeadlineMs }),
    allowedNetworks,
    deadlineMs: testDeadlineMs,
    startTest: limitTests(clock),
    clock,
    log,
  }
}

/** How a test ended. */
export interface TestedCallback {
  url: string
  delivered: boolean
  status: number | null
  durationMs: number
  /** The first 2 KiB of the answer; null when there was none. */
  answer: string | null
  /** Why it was not delivered, in a sentence; null when it was. */
  error: string | null
  /** What was sent; null: nothing was. */
  request: ShownRequest | null
}

/**
 * Sends a merchant a sample callback, signed and guarded like every callback, and waits for the result. It announces nothing,
 * reads no database and stores nothing.
 * @param notifyUrl null: the merchant's default.
 * @throws GatewayError notify_url_required, bad_notify_url; rate_limited or unavailable when too many tests are running.
 */
export async function sendTestCallback(
  context: TestContext,
  merchant: Merchant,
  notifyUrl: string | null,
): Promise<TestedCallback> {
  if (notifyUrl === null && merchant.callbackUrl === null)
    throw new GatewayError('notify_url_required', 'notify_url: missing, and the merchant has no default URL')
  const problem = notifyUrl === null ? null : checkCallbackUrl(notifyUrl, context.allowedNetworks)
  if (problem !== null) throw new GatewayError('bad_notify_url', `notify_url ${problem}`)
  const endTest = context.startTest(merchant.id)
  try {
    const sample = { notifyUrl, facts: sampleFacts(), now: context.clock.now() }
    const { url, outcome, sent } = await attemptCallback(sample, merchant, context)
    const error = testError(outcome, merchant, context.deadlineMs)
    const tested: TestedCallback = {
      url,
      delivered: outcome.kind === 'acknowledged',
      status: outcome.status ?? null,
      durationMs: outcome.durationMs,
      answer: outcome.kind === 'failed' ? null : outcome.answer,
      error,
      request: sent && showRequest(sent),
    }
    const { status, durationMs } = tested
    context.log.info({ merchantId: merchant.id, status, durationMs, error }, 'callback.tested')
    return tested
  } finally {
    endTest()
  }
}

/** Makes a sample: an amount of 0, and an order and a transaction that cannot exist. Each has a key of its own. */
function sampleFacts(): CallbackFacts {
  return {
    key: `cb_${randomBytes(16).toString('hex')}`,
    orderid: `test-${randomUUID()}`,
    ordersn: `cz-${randomUUID().replaceAll('-', '')}`,
    localusermark: 'test',
    bodyAmount: legacy(0n),
    txid: '0'.repeat(64),
    logIndex: 0,
    transferAmount: usdt(0n),
    received: usdt(0n),
    orderAmount: usdt(0n),
    orderState: 'underpaid',
    late: false,
  }
}

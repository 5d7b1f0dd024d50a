import Type from 'typebox'
import { GatewayError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'
import { describeEndpoint, type Endpoint } from '../requests/endpoint.ts'
import { nullable, orderidParameter, ordersnParameter, textParameter } from '../requests/parameter-schemas.ts'
import { resendCallbacks } from './outbox/resend-callbacks.ts'
import { limitResends, resendLimits } from './outbox/resend-limits.ts'
import { readOrderCallbacks } from './outbox/resend-store.ts'
import { sendTestCallback, type TestContext } from './sending/test-callback.ts'

/** Defines the endpoints resendcallback and testcallback. */
export function callbackEndpoints({ pool, context }: { pool: Pool; context: TestContext }): Endpoint[] {
  const countResent = limitResends(context.clock)
  return [
    describeEndpoint({
      name: 'resendcallback',
      summary:
        'Sends the callbacks of an order again. Due and exhausted ones are due now and start their schedule again; acknowledged ones are sent once more.',
      replay: 'once',
      refusals: ['order_not_found'],
      parameters: Type.Object({
        orderid: Type.Optional(orderidParameter),
        ordersn: Type.Optional(ordersnParameter),
      }),
      data: Type.Object({
        resent: Type.Integer({ description: 'Callbacks that are due now', examples: [1] }),
        skipped: Type.Integer({
          description: `Callbacks that are being sent at this moment, and those of the order beyond ${resendLimits.perCall}`,
          examples: [0],
        }),
      }),
      run: async (merchant, { orderid = null, ordersn = null }) => {
        if (orderid === null && ordersn === null)
          throw new GatewayError('missing_parameter', 'orderid or ordersn: one of them is required')
        const order = { merchantId: merchant.id, orderid, ordersn }
        const callbacks = await readOrderCallbacks(pool, order, resendLimits.perCall)
        if (callbacks === null)
          throw new GatewayError(
            'order_not_found',
            `${orderid === null ? 'ordersn' : 'orderid'}: you have no such order`,
          )
        countResent(merchant.id, callbacks.ids.length)
        const { resent, skipped } = await resendCallbacks(pool, callbacks.ids)
        return { resent, skipped: skipped + callbacks.more }
      },
    }),
    describeEndpoint({
      name: 'testcallback',
      summary:
        'Sends a signed sample callback (orderid "test-" and a UUID, amount "0") and returns the result, within 7 s.',
      replay: 'once',
      refusals: ['bad_notify_url', 'notify_url_required'],
      parameters: Type.Object({
        notify_url: Type.Optional(
          textParameter(
            0,
            512,
            "The URL it is sent to. Without it: the merchant's default URL.",
            'https://shop.example/cb',
          ),
        ),
      }),
      data: Type.Object({
        url: Type.String({ description: 'The URL it was sent to', examples: ['https://shop.example/cb'] }),
        delivered: Type.Boolean({ description: 'Whether it was acknowledged', examples: [true] }),
        http_status: nullable(Type.Integer({ description: "The answer's status", examples: [200] })),
        duration_ms: Type.Integer({
          description: 'From the DNS query to the last byte of the answer',
          examples: [31],
        }),
        answer: nullable(
          Type.String({ description: 'The first 2 KiB of the answer', examples: ['success'] }),
        ),
        error: nullable(
          Type.String({
            description: 'Why it was not delivered; null when it was',
            examples: ['refused: status 404; only a 2xx acknowledges'],
          }),
        ),
      }),
      run: async (merchant, { notify_url }) => {
        const {
          status,
          durationMs,
          request: _,
          ...tested
        } = await sendTestCallback(context, merchant, notify_url || null)
        return { ...tested, http_status: status, duration_ms: durationMs }
      },
      close: () => context.agent.destroy(),
    }),
  ]
}

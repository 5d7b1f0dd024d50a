import assert from 'node:assert/strict'
import { legacy, usdt } from '../../src/base/money.ts'
import { callbackBody } from '../../src/callbacks/sending/callback-body.ts'
import { webhookHeaders } from '../../src/callbacks/sending/webhook-signature.ts'
import type { MerchantCredentials } from '../../src/demo/demo-merchant.ts'
import type { ShopProgram } from './shop-programs.ts'

/** What a user sees in a browser, and what a stranger can do. */
export interface ShopVisitor {
  /** Fills in the form. @returns the URL of the top-up's page. */
  topUp(amount: string): Promise<string>
  /** What the form answers to an amount that it refuses. */
  refusedTopUp(amount: string): Promise<{ status: number; text: string }>
  page(url: string): Promise<{ status: number; text: string }>
  /** Decimal USDT, as the start page says it. */
  balance(): Promise<string>
  /** Posts a callback under the merchant's own signatures. @returns the status. */
  post(callback: PostedCallback): Promise<number>
}

export interface PostedCallback {
  key: string
  orderid: string
  /** 1/10000 USDT. */
  amount: bigint
  /** Unix seconds; now by default. */
  at?: number
  forge?: (body: string) => string
  headers?: Record<string, string>
}

export function visitShop(shop: ShopProgram, merchant: MerchantCredentials, port: number): ShopVisitor {
  const base = `http://127.0.0.1:${port}`
  const submit = (amount: string) =>
    fetch(`${base}${shop.formPath}`, {
      method: 'POST',
      body: new URLSearchParams({ amount }),
      redirect: 'manual',
    })
  const page = async (url: string) => {
    const response = await fetch(url)
    return { status: response.status, text: await response.text() }
  }
  return {
    page,
    topUp: async amount => {
      const response = await submit(amount)
      assert.equal(response.status, 303, await response.text())
      return new URL(response.headers.get('location')!, base).href
    },
    refusedTopUp: async amount => {
      const response = await submit(amount)
      return { status: response.status, text: await response.text() }
    },
    balance: async () => /balance: <b>(\S+) USDT<\/b>/.exec((await page(`${base}/`)).text)![1]!,
    post: async ({ key, orderid, amount, at = Math.floor(Date.now() / 1000), forge, headers }) => {
      const body = bodyOf(merchant, { key, orderid, amount }, at)
      const response = await fetch(`${base}${shop.callbackPath}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...webhookHeaders([merchant.webhookSecret], key, at, body),
          ...headers,
        },
        body: forge ? forge(body) : body,
      })
      await response.text()
      return response.status
    },
  }
}

function bodyOf(
  { appid, key }: MerchantCredentials,
  callback: { key: string; orderid: string; amount: bigint },
  at: number,
): string {
  const facts = {
    key: callback.key,
    orderid: callback.orderid,
    ordersn: 'cz-7773c1e05b7d4a0c9a51e2b8dfc698d2',
    localusermark: '42',
    bodyAmount: legacy(callback.amount),
    txid: 'ab'.repeat(32),
    logIndex: 0,
    transferAmount: usdt(callback.amount * 100n),
    received: usdt(callback.amount * 100n),
    orderAmount: usdt(callback.amount * 100n),
    orderState: 'paid',
    late: false,
  } as const
  const merchant = { appid, callbackFields: 'six', callbackFormat: 'form' } as const
  return callbackBody(facts, merchant, { scheme: 'hmac-sha256', key }, at).text
}

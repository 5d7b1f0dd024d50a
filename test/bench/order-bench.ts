import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { HDKey } from '@scure/bip32'
import { createCursor } from '../../src/blocks/chain-store.ts'
import type { Pool } from '../../src/db/pool.ts'
import { addMerchant } from '../../src/merchants/add-merchant.ts'
import { signParameters } from '../../src/merchants/signature.ts'
import { httpLoad, type LoadResult } from './http-load.ts'

const connections = 64
const users = 1_000
const masterKey = '11'.repeat(32)

/** Signed TraderRechargeorder at 64 connections: stored durably, and the same route storing nothing. */
export async function benchOrders(pool: Pool, url: string, requests: number) {
  const merchant = await prepare(pool)
  const addresses = await openUsers(url, merchant)
  const durable = await measure('durable', url, merchant, addresses, requests)
  const { rows } = await pool.query(
    `select count(*) as orders, count(distinct orderid) as distinct from recharge_order`,
  )
  assert.deepEqual(
    rows[0],
    { orders: BigInt(requests * 2), distinct: BigInt(requests * 2) },
    'every order is stored, once',
  )
  const bare = await measure('bare', url, merchant, addresses, requests)
  return { durable, bare, ratio: durable.perSecond / bare.perSecond }
}

type Credentials = Awaited<ReturnType<typeof prepare>>

async function prepare(pool: Pool) {
  await createCursor(
    pool,
    { network: 'sandbox', genesisId: '0'.repeat(64), usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t' },
    { height: 1, hash: '1'.repeat(64), time: new Date() },
  )
  return addMerchant(pool, Buffer.from(masterKey, 'hex'), {
    name: 'bench',
    xpub: HDKey.fromMasterSeed(Buffer.alloc(32, 1)).derive("m/44'/195'/0'").publicExtendedKey,
    callbackUrl: 'https://shop.example/cb',
    scheme: 'hmac-sha256',
    checkUrl: () => null,
  })
}

/** Each user's base address, through the API. */
async function openUsers(url: string, merchant: Credentials): Promise<string[]> {
  const { child, port } = await startServer('durable', url)
  const addresses: string[] = []
  try {
    for (let first = 0; first < users; first += 50) {
      const page = Array.from({ length: 50 }, (_, n) => `u${first + n}`)
      const answers = await Promise.all(
        page.map(async user => {
          const body = signed(merchant, 'newAddress', { username: user, localusermark: user })
          const response = await fetch(`http://127.0.0.1:${port}/api/merchant/newAddress`, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body,
          })
          return ((await response.json()) as { data: { address: string } }).data.address
        }),
      )
      addresses.push(...answers)
    }
  } finally {
    child.kill()
  }
  return addresses
}

/** Warms up with as many requests as it then measures. */
async function measure(
  mode: 'durable' | 'bare',
  url: string,
  merchant: Credentials,
  addresses: readonly string[],
  requests: number,
): Promise<LoadResult> {
  const { child, port } = await startServer(mode, url)
  try {
    let result: LoadResult | undefined
    for (const round of ['warm', 'hot']) {
      const prepared = Array.from({ length: requests }, (_, n) =>
        httpRequest(port, merchant, addresses, `${mode}-${round}-${n}`, n % users),
      )
      let sent = 0
      result = await httpLoad({ port, connections, next: () => prepared[sent++] ?? null })
      assert.deepEqual(result.statuses, { 200: requests }, result.firstFailure ?? '')
    }
    return result!
  } finally {
    child.kill()
  }
}

async function startServer(
  mode: 'durable' | 'bare',
  url: string,
): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(join(import.meta.dirname, 'order-server.ts'), [mode], {
    env: {
      ...process.env,
      DATABASE_URL: url,
      MASTER_KEY: masterKey,
      RATE_LIMIT_PER_MINUTE: '0',
      IP_RATE_LIMIT_PER_MINUTE: '0',
    },
  })
  const { port } = await new Promise<{ port: number }>((resolve, reject) => {
    child.once('message', resolve as never)
    child.once('exit', code => reject(new Error(`the bench's server ended with ${code}`)))
  })
  return { child, port }
}

function httpRequest(
  port: number,
  merchant: Credentials,
  addresses: readonly string[],
  orderid: string,
  user: number,
): Buffer {
  const body = signed(merchant, 'TraderRechargeorder', {
    username: `u${user}`,
    localusermark: `u${user}`,
    address: addresses[user]!,
    orderid,
    amount: '12.5',
  })
  return Buffer.from(
    `POST /api/merchant/TraderRechargeorder HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n` +
      `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
}

function signed(merchant: Credentials, endpoint: string, parameters: Record<string, string>): string {
  const all = { ...parameters, appid: merchant.appid }
  return new URLSearchParams({
    ...all,
    sign: signParameters('hmac-sha256', endpoint, all, merchant.key),
  }).toString()
}

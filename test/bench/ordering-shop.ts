import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { HDKey } from '@scure/bip32'
import { createCursor } from '../../src/blocks/chain-store.ts'
import type { Pool } from '../../src/db/pool.ts'
import { type AddedMerchant, addMerchant } from '../../src/merchants/add-merchant.ts'
import { signParameters } from '../../src/merchants/signature.ts'
import { endWithBench } from './child-process.ts'

export const connections = 64
export const users = 1_000
export const masterKey = '11'.repeat(32)

/** What the bench's API processes do: all of it, or the door alone (verify, validate, answer; nothing stored or read). */
export type ServerMode = 'durable' | 'bare'

/** A merchant with a thousand users, each with an address: what orders are made for. */
export interface OrderingShop {
  url: string
  merchant: AddedMerchant
  addresses: readonly string[]
}

/** Opens the shop on an empty database, or on one that a cursor has been written to. */
export async function openOrderingShop(pool: Pool, url: string): Promise<OrderingShop> {
  const { rows } = await pool.query(`select from chain_cursor`)
  if (rows.length === 0) {
    const pin = {
      network: 'sandbox',
      genesisId: '0'.repeat(64),
      usdtContract: 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t',
    }
    await createCursor(pool, pin, { height: 1, hash: '1'.repeat(64), time: new Date() })
  }
  const merchant = await addMerchant(pool, Buffer.from(masterKey, 'hex'), {
    name: 'bench',
    xpub: HDKey.fromMasterSeed(Buffer.alloc(32, 1)).derive("m/44'/195'/0'").publicExtendedKey,
    callbackUrl: 'https://shop.example/cb',
    scheme: 'hmac-sha256',
    checkUrl: () => null,
  })
  return { url, merchant, addresses: await openUsers(url, merchant) }
}

/** Each user's base address, through the API. */
async function openUsers(url: string, merchant: AddedMerchant): Promise<string[]> {
  const { child, port } = await startOrderServer('durable', url)
  const addresses: string[] = []
  try {
    for (let first = 0; first < users; first += 50) {
      const page = Array.from({ length: 50 }, (_, n) => `u${first + n}`)
      const answers = await Promise.all(
        page.map(async user => {
          const body = signedBody(merchant, 'newAddress', { username: user, localusermark: user })
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

/**
 * An API of the bench, in a process of its own.
 * @param ownSession whether it has a session of its own too, as a service has.
 */
export async function startOrderServer(
  mode: ServerMode,
  url: string,
  { ownSession = false }: { ownSession?: boolean } = {},
): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(join(import.meta.dirname, 'order-server.ts'), [mode], {
    env: {
      ...process.env,
      DATABASE_URL: url,
      MASTER_KEY: masterKey,
      RATE_LIMIT_PER_MINUTE: '0',
      IP_RATE_LIMIT_PER_MINUTE: '0',
    },
    detached: ownSession,
  })
  endWithBench(child)
  const { port } = await new Promise<{ port: number }>((resolve, reject) => {
    child.once('message', resolve as never)
    child.once('exit', code => reject(new Error(`the bench's server ended with ${code}`)))
  })
  return { child, port }
}

/** A signed TraderRechargeorder as bytes on the wire. */
export function orderRequest(shop: OrderingShop, port: number, orderid: string, user: number): Buffer {
  return requestBytes(shop, port, 'TraderRechargeorder', {
    username: `u${user}`,
    localusermark: `u${user}`,
    address: shop.addresses[user]!,
    orderid,
    amount: '12.5',
  })
}

/** A signed request as bytes on the wire. */
export function requestBytes(
  { merchant }: OrderingShop,
  port: number,
  endpoint: string,
  parameters: Record<string, string>,
): Buffer {
  const body = signedBody(merchant, endpoint, parameters)
  return Buffer.from(
    `POST /api/merchant/${endpoint} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n` +
      `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
}

function signedBody(merchant: AddedMerchant, endpoint: string, parameters: Record<string, string>): string {
  const all = { ...parameters, appid: merchant.appid }
  return new URLSearchParams({
    ...all,
    sign: signParameters('hmac-sha256', endpoint, all, merchant.key),
  }).toString()
}

import { type Clock, systemClock } from '../base/clock.ts'
import type { Prisma } from '../db/prisma-client.ts'
import type { SignatureScheme } from './signature.ts'

/** A merchant as an operator sees it, without secrets. */
export interface ListedMerchant {
  appid: string
  name: string
  /** The promoted key's scheme; null when no key is promoted. */
  scheme: SignatureScheme | null
  /** Keys that will be retired later are live. */
  liveKeys: number
  xpub: string
  callbackUrl: string | null
  callbackFormat: string
  callbackFields: string
  acknowledgement: string | null
  acknowledgementAnywhere: boolean
  always200: boolean
  requireNonce: boolean
  /** What it is told of beside its credits. */
  events: readonly string[]
  /** Transfers without an order are announced as deposits. */
  deposits: boolean
  /** Addresses and CIDRs it may call from; empty: any client. */
  allowedClients: readonly string[]
  disabledAt: Date | null
  createdAt: Date
}

/** Lists all merchants, oldest first. */
export async function listMerchants(prisma: Prisma, clock: Clock = systemClock): Promise<ListedMerchant[]> {
  const merchants = await prisma.merchant.findMany({
    orderBy: { id: 'asc' },
    select: {
      appid: true,
      name: true,
      callbackUrl: true,
      callbackFormat: true,
      callbackFields: true,
      acknowledgement: true,
      acknowledgementAnywhere: true,
      always200: true,
      requireNonce: true,
      events: true,
      deposits: true,
      allowedClients: true,
      disabledAt: true,
      createdAt: true,
      addressCounter: { select: { xpub: true } },
      merchantKeys: {
        where: { OR: [{ retiredAt: null }, { retiredAt: { gt: clock.now() } }] },
        select: { scheme: true, promoted: true },
      },
    },
  })
  return merchants.map(({ addressCounter, merchantKeys, ...merchant }) => ({
    ...merchant,
    scheme: (merchantKeys.find(key => key.promoted)?.scheme ?? null) as SignatureScheme | null,
    liveKeys: merchantKeys.length,
    xpub: addressCounter.xpub,
  }))
}

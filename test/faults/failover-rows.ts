import { askGateway } from './ask-gateway.ts'
import { type Deployment, patiently } from './deployment.ts'
import type { FaultRow, Injected, Scene } from './fault-row.ts'
import { runCommand } from './gateway-command.ts'
import { isSettled } from './paying-load.ts'
import type { Shop } from './shop.ts'

// P too: the primary dies and its standby is promoted, with everything that was answered, and without the last of it.

export const failoverRows: readonly FaultRow[] = [
  {
    id: 'P5',
    what: 'failover to a standby that has everything: nothing stops',
    settings: { replicated: true },
    times: 1,
    prepare: ({ replicated }) => replicated!.replicateSynchronously(),
    inject: loseNothing,
    holds: async ({ deployment: { api } }) => {
      if (isAlarmed(api.output())) throw new Error('addresses were stopped, and none was lost')
    },
  },
  {
    id: 'P5',
    what: 'failover that loses the last addresses: none is assigned until `gateway restored`, all else goes on',
    settings: { replicated: true },
    times: 1,
    inject: loseAddresses,
    holds: compareAddresses,
  },
]

function isAlarmed(said: string): boolean {
  return said.includes('addresses.stopped')
}

async function loseNothing({ deployment, load }: Scene): Promise<Injected> {
  await deployment.replicated!.failOver()
  const [at, before] = [Date.now(), load.orders.length]
  const since = () => load.orders.slice(before)
  await patiently('an order after it', () => since().some(order => order.answered))
  const firstMs = Date.now() - at
  await patiently('30 orders after it', () => since().filter(isSettled).length >= 30)
  return { note: `the first new order after ${(firstMs / 1000).toFixed(1)} s` }
}

/** Addresses that were answered to users of no load: by address, all who have it. */
const given = new WeakMap<Deployment, Map<string, string[]>>()

async function loseAddresses({ deployment, load }: Scene): Promise<Injected> {
  const { api, shops, replicated } = deployment
  const shop = shops[0]!
  const addresses = new Map<string, string[]>()
  given.set(deployment, addresses)
  const assigned = async (user: string) => {
    const { address } = await patiently(`an address for ${user}`, () => askAddress(deployment, shop, user))
    addresses.set(address, [...(addresses.get(address) ?? []), `${shop.appid} user ${user}`])
    return address
  }
  await rest({ deployment, load })
  const kept = await assigned('kept')
  await replicated!.caughtUp()
  await replicated!.stopStreaming()
  const lost = [await assigned('lost-1'), await assigned('lost-2'), await assigned('lost-3')]
  await replicated!.failOver()
  const failedAt = Date.now()

  await patiently('the alarm', async () => {
    const fresh = await askAddress(deployment, shop, 'new')
    if (fresh) throw new Error(`a new user got ${fresh.address}; lost were ${lost}`)
    return isAlarmed(api.said())
  })
  const alarmMs = Date.now() - failedAt
  const refused = await patiently('a refusal', () =>
    askGateway(deployment, shop, 'newAddress', { username: 'u', localusermark: 'new' }),
  )
  if (refused.status !== 503 || refused.answer.code !== 'unavailable')
    throw new Error(`a new address was refused with ${refused.status} ${refused.answer.code}`)
  const meanwhile = Array.from({ length: 20 }, (_, n) =>
    load.begin(shop, { user: 'kept', address: "user's", parts: [5_000_000n + BigInt(n) * 100n] }),
  )
  await patiently('orders at known addresses', () => meanwhile.every(isSettled))
  if (meanwhile.some(order => order.answered!.address !== kept))
    throw new Error(`a user has other addresses than ${kept} after the failover`)

  await runCommand(deployment, 'restored', '--skip', '50')
  for (const user of ['new', 'lost-1', 'lost-2', 'lost-3']) await assigned(user)
  load.leftOut.clear()
  const resumed = load.orders.length
  await patiently('30 orders after it', () => load.orders.slice(resumed).filter(isSettled).length >= 30)
  return { note: `refused from ${(alarmMs / 1000).toFixed(1)} s after it` }
}

/** Has the load rest, with everything delivered and recorded: what is lost then belongs to nobody's order. */
async function rest({ deployment, load }: Pick<Scene, 'deployment' | 'load'>): Promise<void> {
  for (const shop of deployment.shops) load.leftOut.add(shop)
  await patiently('all orders to be settled', () => load.orders.every(isSettled))
  await patiently('all of it to be recorded', async () => {
    const { rows } = await deployment.pool.query('select count(*)::int as n from callback_outbox')
    return rows[0].n === 0
  })
}

/** @returns null when it is refused for now. @throws Error when it is refused for good. */
async function askAddress(
  deployment: Deployment,
  shop: Shop,
  user: string,
): Promise<{ address: string } | null> {
  const reply = await askGateway(deployment, shop, 'newAddress', { username: user, localusermark: user })
  if (reply === null || reply.status >= 500) return null
  if (reply.answer.status !== 1) throw new Error(`newAddress refused: ${reply.answer.err}`)
  return { address: reply.answer.data.address! }
}

/** No address was ever given to two. */
async function compareAddresses({ deployment, load }: Scene): Promise<void> {
  const holders = given.get(deployment) ?? new Map<string, string[]>()
  for (const { answered, holder } of load.orders) {
    if (answered) holders.set(answered.address, [...(holders.get(answered.address) ?? []), holder])
  }
  const shared = [...holders].filter(([, all]) => new Set(all).size > 1)
  if (shared.length > 0)
    throw new Error(`given to more than one: ${shared.map(([address, all]) => `${address} to ${all}`)}`)
}

import { type Pool, rows } from '../db/pool.ts'
import { createGuardedAgent } from '../egress/guarded-agent.ts'
import { type Finding, look, messageOfFailure, ok, wrong } from './finding.ts'

const area = 'callbacks'
const originsMax = 20
const dialMs = 5_000
const namedMax = 10

/** Says where callbacks cannot be sent from this machine, and which merchants still take a word anywhere for an acknowledgement. */
export async function checkCallbacks(pool: Pool, allowedNetworks: readonly string[]): Promise<Finding[]> {
  return [...(await dialOrigins(pool, allowedNetworks)), ...(await looseAcknowledgements(pool))]
}

/** Dials the endpoints of merchants as callbacks do, with a HEAD for /: any answer shows that they can be reached. */
async function dialOrigins(pool: Pool, allowedNetworks: readonly string[]): Promise<Finding[]> {
  const found = await rows<{ origin: string }>(
    pool,
    `select distinct substring(callback_url from '^https?://[^/?#]+') as origin
       from merchant
      where callback_url is not null and disabled_at is null
      order by 1
      limit ${originsMax}`,
  )
  if (found.length === 0) return [ok(area, 'no merchant has a default URL to try')]
  const agent = createGuardedAgent({ allowedNetworks, connectTimeoutMs: dialMs })
  try {
    const failed = await Promise.all(
      found.map(async ({ origin }) => {
        try {
          const answer = await agent.request({
            origin,
            path: '/',
            method: 'HEAD',
            signal: AbortSignal.timeout(dialMs),
          })
          await answer.body.dump()
          return null
        } catch (error) {
          return `${origin}: ${messageOfFailure(error)}`
        }
      }),
    )
    const reasons = failed.filter(reason => reason !== null)
    if (reasons.length === 0) return [ok(area, `${found.length} endpoints can be reached`)]
    const isOurs = reasons.length === found.length && found.length > 1
    const says = `${reasons.length} of ${found.length} endpoints cannot be reached from here`
    return [
      (isOurs ? wrong : look)(area, isOurs ? `${says}: may this machine dial out?` : says),
      ...reasons.slice(0, namedMax).map(reason => look(area, reason)),
    ]
  } finally {
    await agent.destroy()
  }
}

async function looseAcknowledgements(pool: Pool): Promise<Finding[]> {
  const loose = await rows<{ appid: string; name: string }>(
    pool,
    `select appid, name from merchant where acknowledgement_anywhere and disabled_at is null order by id`,
  )
  if (loose.length === 0) return []
  const named = loose.slice(0, namedMax).map(({ appid, name }) => `${name} (${appid})`)
  const more = loose.length > namedMax ? ` and ${loose.length - namedMax} more` : ''
  const advice =
    '"unsuccessful" acknowledges, too. Set it again with `gateway merchant set --acknowledgement`'
  return [
    look(
      'merchants',
      `an answer acknowledges if the word is anywhere in it: ${named.join(', ')}${more}. ${advice}`,
    ),
  ]
}

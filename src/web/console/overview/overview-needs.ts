import type { AlarmName } from '../../../alarms/alarm.ts'
import type { GatewayStatus } from '../../../credits/read-status.ts'
import { alarmWords } from '../parts/alarm-words.ts'
import { href, type Page, wordsOf } from '../parts/page.ts'
import { durationText, type Tone } from '../parts/value-parts.tsx'
import { countMax, type GatewayTroubles, type OwedCallbacks, type WaitingMoney } from './overview-store.ts'
import type { OverviewWords } from './overview-words.ts'

/** Something that a person should look at, and where. */
export interface Need {
  tone: Tone
  text: string
  link: string
}

/** What is known of the merchant, or of the gateway; null: it could not be read in time, or is not the viewer's. */
export interface NeedFacts {
  owed: OwedCallbacks | null
  waiting: WaitingMoney | null
  /** People without a second factor, the viewer not counted. */
  withoutFactor: number | null
  ownFactor: boolean
  disabled: boolean
  /** The gateway has none yet. */
  noMerchants: boolean
  gateway: GatewayTroubles | null
  alarms: readonly AlarmName[]
  status: GatewayStatus | null
  leads: boolean
}

/** Older than this, a due callback is late: what is on its way takes a second. */
const lateMs = 60_000

/** Lists what needs somebody, what is red first. */
export function needsOf(page: Page, words: OverviewWords, facts: NeedFacts): Need[] {
  const needs: (Need | false | null | undefined)[] = [
    ...alarmNeeds(page, words, facts),
    facts.noMerchants && { tone: 'amber', text: words.noMerchants, link: href(page, '/merchants') },
    facts.disabled && { tone: 'red', text: words.disabled, link: href(page, '/callbacks', { list: 'held' }) },
    ...callbackNeeds(page, words, facts.owed),
    ...moneyNeeds(page, words, facts.waiting),
    ...gatewayNeeds(page, words, facts),
    !facts.ownFactor && { tone: 'amber', text: words.ownFactor, link: href(page, '/account') },
    counted(facts.withoutFactor, words.othersFactor, 'amber', href(page, '/people')),
  ]
  const found = needs.filter(need => !!need)
  return [...found.filter(({ tone }) => tone === 'red'), ...found.filter(({ tone }) => tone !== 'red')]
}

function alarmNeeds(page: Page, words: OverviewWords, facts: NeedFacts): (Need | false)[] {
  const link = `${href(page, '/system')}#alarms`
  const { meanings } = wordsOf(page, alarmWords)
  return [
    facts.status !== null &&
      !facts.leads && { tone: 'red', text: words.noNodes, link: href(page, '/system') },
    ...facts.alarms.map((name): Need => ({ tone: 'red', text: words.alarm(name, meanings[name]), link })),
  ]
}

function callbackNeeds(page: Page, words: OverviewWords, owed: OwedCallbacks | null): (Need | false)[] {
  if (!owed) return []
  const { exhausted, failing, oldestDueAt } = owed
  const lateForMs = oldestDueAt === null ? 0 : page.now.getTime() - oldestDueAt.getTime()
  return [
    exhausted > 0 && {
      ...{ tone: 'red', link: href(page, '/callbacks', { list: 'exhausted' }) },
      text: words.exhausted(exhausted > countMax ? words.more(countMax) : `${exhausted}`),
    },
    failing > 0 && { tone: 'red', text: words.failing(failing), link: href(page, '/callbacks/origins') },
    lateForMs > lateMs && {
      ...{ tone: 'amber', link: href(page, '/callbacks', { list: 'due' }) },
      text: words.late(durationText(lateForMs)),
    },
  ]
}

function moneyNeeds(page: Page, words: OverviewWords, waiting: WaitingMoney | null): (Need | false)[] {
  if (!waiting) return []
  return (['quarantined', 'held', 'behind', 'unclaimed'] as const).map(reason =>
    counted(
      waiting[reason].transfers,
      words[reason],
      reason === 'quarantined' ? 'red' : 'amber',
      href(page, '/money', { list: listOf[reason] }),
    ),
  )
}

/** Where each reason is listed. What waits behind another goes on with that one. */
const listOf = { quarantined: 'quarantine', held: 'held', behind: 'held', unclaimed: 'unclaimed' } as const

function gatewayNeeds(page: Page, words: OverviewWords, { gateway, status }: NeedFacts): (Need | false)[] {
  const resting = (status?.nodes ?? []).filter(({ state }) => state !== 'ok')
  return [
    ...(gateway
      ? [
          counted(gateway.unreadLogs, words.unreadLogs, 'red', href(page, '/money', { list: 'quarantine' })),
          counted(
            gateway.discrepancies,
            words.discrepancies,
            'red',
            href(page, '/money', { list: 'discrepancies' }),
          ),
          counted(gateway.contractEvents, words.contract, 'red', `${href(page, '/system')}#alarms`),
        ]
      : []),
    resting.length > 0 && {
      ...{ tone: 'amber', link: href(page, '/nodes') },
      text: words.nodes(resting.map(({ node }) => node).join(', ')),
    },
  ]
}

function counted(n: number | null, say: (n: number) => string, tone: Tone, link: string): Need | false {
  return n !== null && n > 0 && { tone, text: say(n), link }
}

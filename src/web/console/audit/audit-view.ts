import { findBroken } from '../../../audit/trail-checks.ts'
import type { MerchantId } from '../../../base/ids.ts'
import {
  type AuditEventsWanted,
  type ListedAuditEvent,
  listAuditEvents,
} from '../../../db/list-audit-events.ts'
import type { Queryable } from '../../../db/pool.ts'
import { membersOf } from '../../../people/user-store.ts'

/** An audit event as a page shows it. */
export interface ShownEvent extends ListedAuditEvent {
  /** Whether it fits the event before it; null: it is from before the chain. */
  fits: boolean | null
}

/** What a merchant's own people may know of an event's details: of others they name nodes and other merchants. */
const ownSubjects = /^(merchant|person|address|callbacks|deposits)\./

/**
 * Reads a page of events with what the viewer may know of them: for a merchant's people the network addresses of their own.
 * @param scope the merchant that the page is about. @param isAdmin whether the viewer may know all.
 */
export async function readEvents(
  db: Queryable,
  wanted: AuditEventsWanted,
  { limit, scope, isAdmin }: { limit: number; scope: MerchantId | null; isAdmin: boolean },
): Promise<ListedAuditEvent[]> {
  const merchantId = scope ?? undefined
  const events = await listAuditEvents(db, { ...wanted, merchantId }, limit)
  if (isAdmin || scope === null) return events
  const own = new Set((await membersOf(db, scope)).map(({ email }) => `<${email}>`))
  return events.map(event => ({
    ...event,
    address: own.has(/<[^<>]+>$/.exec(event.actor)?.[0] ?? '') ? event.address : null,
    detail: ownSubjects.test(event.action) ? event.detail : {},
  }))
}

/** Compares each event of a page with the one before it in the chain. */
export async function withFits(db: Queryable, events: readonly ListedAuditEvent[]): Promise<ShownEvent[]> {
  const chained = events.filter(({ chainPosition }) => chainPosition !== null)
  const broken = await findBroken(
    db,
    chained.map(({ id }) => id),
  )
  return events.map(event => ({
    ...event,
    fits: event.chainPosition === null ? null : !broken.has(event.id),
  }))
}

/** The parts of the filters, as the address has them. */
export interface AuditFilters {
  wanted: AuditEventsWanted
  /** The fields that are wrong. */
  wrong: ReadonlySet<'from' | 'to'>
}

const dayMs = 86_400_000

/** Reads the filters. Days are those of UTC; the last one is wanted as a whole. */
export function readFilters(text: (name: string) => string): AuditFilters {
  const [from, to] = [readDay(text('from')), readDay(text('to'))]
  const before = /^\d{1,18}$/.test(text('before')) ? BigInt(text('before')) : undefined
  const wrong = new Set<'from' | 'to'>()
  if (from === null) wrong.add('from')
  if (to === null) wrong.add('to')
  return {
    wanted: {
      actor: text('actor') || undefined,
      action: text('action') || undefined,
      from: from ?? undefined,
      to: to ? new Date(to.getTime() + dayMs) : undefined,
      before,
    },
    wrong,
  }
}

/** @returns undefined: none is given; null: it is none. */
function readDay(text: string): Date | undefined | null {
  if (text === '') return undefined
  const day = new Date(`${text}T00:00:00Z`)
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(day.getTime())
  return isDay && day.toISOString().startsWith(text) ? day : null
}

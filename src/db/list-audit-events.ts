import type { MerchantId } from '../base/ids.ts'
import { type Queryable, rows } from './pool.ts'

/** Which events are wanted: those that all given facts fit. */
export interface AuditEventsWanted {
  merchantId?: MerchantId | undefined
  /** As a whole: `command line alice`. */
  actor?: string | undefined
  action?: string | undefined
  from?: Date | undefined
  /** Before this. */
  to?: Date | undefined
  /** Those that follow this event's in the list: the last one of the page before. */
  before?: bigint | undefined
}

/** An audit event as it is shown. */
export interface ListedAuditEvent {
  id: bigint
  at: Date
  actor: string
  action: string
  subject: string
  reason: string | null
  /** The network address it was done from. */
  address: string | null
  appid: string | null
  detail: Record<string, unknown>
  /** null: from before the chain. */
  chainPosition: bigint | null
  /** 64 hex digits. */
  hash: string | null
}

/** Lists a page of audit events, newest first. Each of the filters is read by an index in the order of the list. */
export async function listAuditEvents(
  db: Queryable,
  wanted: AuditEventsWanted,
  limit: number,
): Promise<ListedAuditEvent[]> {
  const { text, values } = auditEventsQuery(wanted, limit)
  return rows<ListedAuditEvent>(db, text, values)
}

/** Only what is wanted is in the query: what compares with a parameter that may be null is not read by an index. */
export function auditEventsQuery(
  { merchantId, actor, action, from, to, before }: AuditEventsWanted,
  limit: number,
): { text: string; values: unknown[] } {
  const values: unknown[] = []
  const conditions: string[] = []
  const where = (condition: (parameter: string) => string, value: unknown) => {
    if (value === undefined) return
    values.push(value)
    conditions.push(condition(`$${values.length}`))
  }
  where(parameter => `e.merchant_id = ${parameter}`, merchantId)
  where(parameter => `e.actor = ${parameter}`, actor)
  where(parameter => `e.action = ${parameter}`, action)
  where(parameter => `e.created_at >= ${parameter}`, from)
  where(parameter => `e.created_at < ${parameter}`, to)
  where(
    parameter => `(e.created_at, e.id) < (select created_at, id from audit_event where id = ${parameter})`,
    before,
  )
  values.push(limit)
  return {
    text: `
      select e.id, e.created_at as at, e.actor, e.action, e.subject,
             coalesce(e.reason, case when e.action <> 'quarantine.retried' then e.detail ->> 'reason' end) as reason,
             e.address, m.appid, e.detail, e.chain_position as "chainPosition", encode(e.hash, 'hex') as hash
        from audit_event e
        left join merchant m on m.id = e.merchant_id
       ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
       order by e.created_at desc, e.id desc
       limit $${values.length}`,
    values,
  }
}

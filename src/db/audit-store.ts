import type { DepositAddressId, MerchantId } from '../base/ids.ts'
import { run, type Tx } from './pool.ts'

/** Who does something, why and from where, for the audit. */
export interface Author {
  /** `command line alice`, `watcher`, or `Alice <alice@shop.example>`: a person who is signed in. */
  actor: string
  reason?: string | undefined
  /** The network address of a person who is signed in. */
  address?: string | undefined
}

/** Something that changes how the gateway works, or what it does with money. Contains no secret. */
export interface AuditEvent extends Author {
  /** What, in dotted form: 'merchant.added'. */
  action: string
  /** What it was done to: 'merchant VunTq7Zk2Lm9h1l8'. */
  subject: string
  detail?: Record<string, unknown>
  /** The merchant that it concerns, whose own people may see it. */
  merchantId?: MerchantId | null
  /** Instead of `merchantId`: an address of the merchant's. */
  addressId?: DepositAddressId | null
}

/** Takes the author out of a function's options. */
export function authorOf({ actor = 'command line', reason, address }: Partial<Author>): Author {
  return { actor, reason, address }
}

/**
 * Records an event in the transaction that does it. The table refuses update and delete, and the database adds the event to
 * the chain when the transaction commits: until then it is in no other transaction's way.
 */
export async function recordAudit(tx: Tx, event: AuditEvent): Promise<void> {
  await run(
    tx,
    `insert into audit_event (actor, action, subject, detail, reason, address, merchant_id)
     values ($1, $2, $3, $4, $5, $6, coalesce($7, (select merchant_id from deposit_address where id = $8)))`,
    [
      event.actor,
      event.action,
      event.subject,
      event.detail ?? {},
      event.reason ?? null,
      event.address ?? null,
      event.merchantId ?? null,
      event.addressId ?? null,
    ],
  )
}

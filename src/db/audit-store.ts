import type { Tx } from './pool.ts'

/** Something done by hand that changes what the gateway does; never a secret in it. */
export interface AuditEvent {
  /** Who: 'command line', or the console's user. */
  actor: string
  /** What, in dotted form: 'merchant.added'. */
  action: string
  /** To whom or what, in its own terms: 'merchant VunTq7Zk2Lm9h1l8'. */
  subject: string
  detail?: Record<string, unknown>
}

/** Sets down what was done by hand, in the transaction that does it. The table refuses update and delete. */
export async function recordAudit(tx: Tx, event: AuditEvent): Promise<void> {
  await tx.query(`insert into audit_event (actor, action, subject, detail) values ($1, $2, $3, $4)`, [
    event.actor,
    event.action,
    event.subject,
    event.detail ?? {},
  ])
}

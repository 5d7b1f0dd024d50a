import { run, type Tx } from './pool.ts'

/** Something an operator did that changes how the gateway works. Contains no secret. */
export interface AuditEvent {
  /** By what and by whom it was done: 'command line', 'command line alice@host'. */
  actor: string
  /** What, in dotted form: 'merchant.added'. */
  action: string
  /** What it was done to: 'merchant VunTq7Zk2Lm9h1l8'. */
  subject: string
  detail?: Record<string, unknown>
}

/** Records an event in the transaction that does it. The table refuses update and delete. */
export async function recordAudit(tx: Tx, event: AuditEvent): Promise<void> {
  await run(tx, `insert into audit_event (actor, action, subject, detail) values ($1, $2, $3, $4)`, [
    event.actor,
    event.action,
    event.subject,
    event.detail ?? {},
  ])
}

/** What a person may do for a merchant. An admin of the gateway may do everything. */
export const roles = ['owner', 'developer', 'finance', 'support'] as const
export type Role = (typeof roles)[number]

/** Who may what. `see` is everything that is shown of a merchant; support may no more. */
const rolesThatMay = {
  see: ['owner', 'developer', 'finance', 'support'],
  /** Announce again, and send test callbacks. */
  resend: ['owner', 'developer'],
  /** Write notes on orders. */
  note: ['owner', 'developer', 'finance'],
  /** Decide about unclaimed money, and mark refunds and corrections. */
  money: ['owner', 'finance'],
  /** Callbacks' format, replay rules, the payer's page. */
  settings: ['owner', 'developer'],
  /** Keys, secrets and callback URLs. */
  keys: ['owner', 'developer'],
  /** Invite people, change their roles, remove them. */
  people: ['owner'],
  /** The audit of the merchant. */
  audit: ['owner'],
  /** The gateway itself. */
  admin: [],
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof rolesThatMay
export const permissions = Object.keys(rolesThatMay) as Permission[]

/** Checks what a role may. `admin`: an admin of the gateway. */
export function may(who: Role | 'admin' | null, permission: Permission): boolean {
  if (who === 'admin') return true
  return who !== null && (rolesThatMay[permission] as readonly Role[]).includes(who)
}

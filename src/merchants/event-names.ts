/**
 * What a merchant may be told of beside its credits, for display:
 * order.seen: a payment to an order is at the head of the chain, not irreversible yet;
 * order.expired: an order's window is over and it is not fully paid;
 * deposit.unclaimed: a payment became irreversible and there is no order for it.
 */
export const eventNames = ['order.seen', 'order.expired', 'deposit.unclaimed'] as const

export type EventName = (typeof eventNames)[number]

/** Reads a list of events as an operator writes it, `""` for none. @returns the events, and the names that no event has. */
export function readEventNames(text: string): { events: EventName[]; unknown: string[] } {
  const names = text
    .split(',')
    .map(name => name.trim())
    .filter(Boolean)
  const events = eventNames.filter(event => names.includes(event))
  return { events, unknown: names.filter(name => !events.some(event => event === name)) }
}

// The rule by which merchants share what a courier can hold: slots, and leases (prisma/routines/lease_callbacks.sql has it too).
// A merchant takes no more than three quarters of what the others leave. So one alone leaves a quarter free, n that take all
// they may leave one part in 3n + 1, and one that has nothing yet finds something free whatever a few others do.
// Switches share their buffers between ports like this: Choudhury and Hahne, Dynamic Queue Length Thresholds for
// Shared-Memory Packet Switches, 1998. A fixed part for each would leave most of it unused by the few that need it.

/**
 * Decides whether a merchant may take one more of what all share.
 * @param holds what it holds.
 * @param free what nobody holds. The last one goes to a merchant that has none.
 */
export function mayTakeOneMore(holds: number, free: number): boolean {
  if (holds === 0) return free > 0
  return holds + 1 <= 3 * (free - 1)
}

/** Computes how many more a merchant may take, if nobody else takes any meanwhile. */
export function mayTakeMore(holds: number, free: number): number {
  if (free <= 0) return 0
  return Math.max(holds === 0 ? 1 : 0, Math.floor((3 * free - holds) / 4))
}

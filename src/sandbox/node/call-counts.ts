/** How often a node was called, its control API apart. */
export class CallCounts {
  calls = 0
  /** Calls that got a refusal in place of an answer. */
  refused = 0
  readonly byPath: Record<string, number> = {}

  count(path: string): void {
    this.calls++
    this.byPath[path] = (this.byPath[path] ?? 0) + 1
  }
}

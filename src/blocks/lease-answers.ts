/** Notes whether the database answers the requests for the watcher's lease. */
export interface LeaseAnswers {
  /** Makes a request. Whether it gets the lease or not, it is answered when it does not throw. */
  ask<T>(request: () => Promise<T>): Promise<T>
  /** How long ago the first request began of those that were not answered since the last answer, in ms; 0: all were. */
  unansweredMs(): number
}

export function createLeaseAnswers(now: () => number = () => performance.now()): LeaseAnswers {
  let sinceMs: number | null = null
  return {
    async ask(request) {
      // Not when it fails: a request on a connection that went silent is out for seconds.
      sinceMs ??= now()
      const answer = await request()
      sinceMs = null
      return answer
    },
    unansweredMs: () => (sinceMs === null ? 0 : now() - sinceMs),
  }
}

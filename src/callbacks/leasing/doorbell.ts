/** Wakes one waiting loop. A ring while nothing waits ends the next wait at once. */
export interface Doorbell {
  ring(): void
  /** Resolves at the next ring, or when the time is over. */
  wait(timeoutMs: number): Promise<void>
}

export function createDoorbell(): Doorbell {
  let rung = false
  let wake: (() => void) | undefined
  return {
    ring: () => {
      rung = true
      wake?.()
    },
    wait: async timeoutMs => {
      if (!rung) {
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, timeoutMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      wake = undefined
      rung = false
    },
  }
}

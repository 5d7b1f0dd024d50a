/** Wakes one sleeper; rung while nobody sleeps, it wakes the next at once. */
export interface Doorbell {
  ring(): void
  /** Resolves at the next ring, or after the time given. */
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

/** One line of the doctor's page. `wrong` makes its exit code 1; `look` is worth a look and may be as it should. */
export interface Finding {
  area: string
  level: 'ok' | 'look' | 'wrong'
  /** A fact, in a sentence without its full stop. */
  says: string
}

export type Check = () => Promise<Finding[]> | Finding[]

export const ok = (area: string, says: string): Finding => ({ area, level: 'ok', says })
export const look = (area: string, says: string): Finding => ({ area, level: 'look', says })
export const wrong = (area: string, says: string): Finding => ({ area, level: 'wrong', says })

/** Each check has so long, whatever it asks. */
const checkMs = 20_000

/** Runs a check. What it throws, and silence, is a finding too. */
export async function runCheck(area: string, check: Check, deadlineMs = checkMs): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Finding[]>(resolve => {
    timer = setTimeout(() => resolve([wrong(area, `no answer within ${deadlineMs / 1_000} s`)]), deadlineMs)
  })
  try {
    return await Promise.race([Promise.resolve().then(check), late])
  } catch (error) {
    return [wrong(area, messageOfFailure(error))]
  } finally {
    clearTimeout(timer)
  }
}

/** A connection to a name with several addresses fails with a list of errors and no message. */
export function messageOfFailure(error: unknown): string {
  const { message, errors, code } = (error ?? {}) as { message?: string; errors?: Error[]; code?: string }
  return message || errors?.[0]?.message || code || 'failed'
}

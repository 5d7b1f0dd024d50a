/** Who has a password checked or hashed. */
export interface PasswordTurn {
  /** An account, or a client's address. */
  by: string
  /** It is somebody who has an account, or a link to one. */
  known: boolean
}

/** Too many passwords are being checked; try again. */
export class TooManySignIns extends Error {
  override name = 'TooManySignIns'
}

/** Each takes 64 MiB and a thread; more would keep the threads from what else the process waits for. */
const atOnce = 2
/** Of these, so that who is known never waits for strangers. */
const strangersAtOnce = 1
/** Of each kind. More would wait longer than a request may. */
const waitingMax = 20
/** Of one account or client: one alone fills no queue. */
const byOneMax = 5

interface Waiting {
  turn: PasswordTurn
  begin: () => void
}

const running: PasswordTurn[] = []
const waiting: Waiting[] = []

/** Does what costs a thread for a while in its turn: who is known first, and strangers one at a time. @throws TooManySignIns */
export async function inPasswordTurn<T>(turn: PasswordTurn, work: () => Promise<T>): Promise<T> {
  const [alike, byOne] = [
    waiting.filter(one => one.turn.known === turn.known).length,
    [...running, ...waiting.map(one => one.turn)].filter(({ by }) => by === turn.by).length,
  ]
  if (byOne >= byOneMax || alike >= waitingMax) throw new TooManySignIns('too many sign-ins at a time')
  await new Promise<void>(begin => {
    waiting.push({ turn, begin })
    beginNext()
  })
  try {
    return await work()
  } finally {
    running.splice(running.indexOf(turn), 1)
    beginNext()
  }
}

function beginNext(): void {
  const strangers = running.filter(({ known }) => !known).length
  const next =
    running.length >= atOnce
      ? undefined
      : (waiting.find(({ turn }) => turn.known) ?? (strangers < strangersAtOnce ? waiting[0] : undefined))
  if (!next) return
  waiting.splice(waiting.indexOf(next), 1)
  running.push(next.turn)
  next.begin()
}

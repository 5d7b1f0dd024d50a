import { readAmount } from '../chain/control-texts.ts'
import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'

// Faults in a node's answers: wrong, incomplete, late, or none.

const infosPath = /\/gettransactioninfobyblocknum$/

/** Answers as for a block that is not there: `{}` for the block, `[]` for its infos. */
export function empty(): Effect {
  return { answer: (_answer, { nothing }) => nothing }
}

/** Leaves out one of a block's infos. */
export function infoMissing(): Effect {
  return {
    answer: (answer, { question }) => {
      if (!infosPath.test(question.path) || !Array.isArray(answer)) return answer
      const left = Math.floor(answer.length / 2)
      return answer.filter((_, i) => i !== left)
    },
  }
}

/** Answers with a block's infos only after so many calls for them. */
export function infosLate({ calls }: FaultOf<'infos-late'>): Effect {
  const asked = new Map<number, number>()
  return {
    answer: (answer, { question: { path, height = 0 }, nothing }) => {
      if (!infosPath.test(path)) return answer
      const before = asked.get(height) ?? 0
      asked.set(height, before + 1)
      return before < calls ? nothing : answer
    },
  }
}

/** Answers with another block than the one asked for. */
export function wrongNumber({ offset = -1 }: FaultOf<'wrong-number'>): Effect {
  return { heightAnswered: height => Math.max(0, height + offset) }
}

/** Answers eth_getLogs with an empty list. */
export function logsEmpty(): Effect {
  return { logs: () => [] }
}

/** Lowers a balance below the sum of the transfers, as after blacklisted funds were destroyed. */
export function balanceOff(fault: FaultOf<'balance-off'>): Effect {
  const less = readAmount(fault.amount)
  return {
    balance: (address, units) => {
      if (fault.address !== undefined && fault.address !== address) return units
      return units > less ? units - less : 0n
    },
  }
}

/** Sends the first half of the answer and ends it normally. */
export function truncated(): Effect {
  return {
    deliver: (stream, answer) => {
      stream.begin(answer.length)
      stream.write(answer.subarray(0, Math.ceil(answer.length / 2)))
      stream.end()
    },
  }
}

export function delay({ ms }: FaultOf<'delay'>): Effect {
  return {
    deliver: (stream, answer) => {
      const timer = setTimeout(() => {
        stream.begin(answer.length)
        stream.write(answer)
        stream.end()
      }, ms)
      stream.onClose(() => clearTimeout(timer))
    },
  }
}

/** Sends the answer byte by byte. */
export function drip({ everyMs }: FaultOf<'drip'>): Effect {
  return {
    deliver: (stream, answer) => {
      stream.begin(answer.length)
      let sent = 0
      const timer = setInterval(() => {
        if (sent < answer.length) stream.write(answer.subarray(sent, ++sent))
        else {
          clearInterval(timer)
          stream.end()
        }
      }, everyMs)
      stream.onClose(() => clearInterval(timer))
    },
  }
}

/** Sends so many megabytes before the answer that its readers pass over. */
export function oversized({ megabytes }: FaultOf<'oversized'>): Effect {
  const megabyte = 1024 * 1024
  return {
    deliver: (stream, answer) => {
      const { head, fill } = stream.padding(megabytes * megabyte)
      const part = Buffer.alloc(megabyte, fill)
      stream.begin(head.length + megabytes * megabyte + answer.length)
      stream.write(head)
      let left = megabytes
      const more = () => {
        while (left > 0) {
          left--
          if (!stream.write(part)) return
        }
        if (left-- < 0) return
        stream.write(answer)
        stream.end()
      }
      stream.onDrain(more)
      more()
    },
  }
}

/** Never answers. The connection stays open until the client or the server closes it. */
export function hang(): Effect {
  return { deliver: () => {} }
}

/** Resets the connection during the call. */
export function reset(): Effect {
  return { deliver: stream => stream.reset() }
}

import type { ServerResponse } from 'node:http'
import { readAmount } from '../chain/control-texts.ts'
import type { Effect } from './fault-effect.ts'
import type { FaultOf } from './fault-schemas.ts'

// Answers that come, and are not what they should be.

const infosPath = /\/gettransactioninfobyblocknum$/

/** As if there were nothing: `{}` for a block, `[]` for its infos. */
export function empty(): Effect {
  return { answer: (_answer, { nothing }) => nothing }
}

/** The infos of a block without one of them. */
export function infoMissing(): Effect {
  return {
    answer: (answer, { question }) => {
      if (!infosPath.test(question.path) || !Array.isArray(answer)) return answer
      const left = Math.floor(answer.length / 2)
      return answer.filter((_, i) => i !== left)
    },
  }
}

/** The infos of each block are there only after so many calls for them. */
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

/** Another block than the one asked for. */
export function wrongNumber({ offset = -1 }: FaultOf<'wrong-number'>): Effect {
  return { heightAnswered: height => Math.max(0, height + offset) }
}

/** eth_getLogs finds nothing and says so as if it were true. */
export function logsEmpty(): Effect {
  return { logs: () => [] }
}

/** A balance that is so much below the sum of the transfers, as after blacklisted funds were destroyed. */
export function balanceOff(fault: FaultOf<'balance-off'>): Effect {
  const less = readAmount(fault.amount)
  return {
    balance: (address, units) => {
      if (fault.address !== undefined && fault.address !== address) return units
      return units > less ? units - less : 0n
    },
  }
}

/** The first half of the answer, ended as if it were all. */
export function truncated(): Effect {
  return {
    deliver: (response, text) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(text.slice(0, Math.ceil(text.length / 2)))
    },
  }
}

export function delay({ ms }: FaultOf<'delay'>): Effect {
  return {
    deliver: (response, text) => {
      const timer = setTimeout(() => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(text)
      }, ms)
      response.once('close', () => clearTimeout(timer))
    },
  }
}

/** The answer byte by byte. */
export function drip({ everyMs }: FaultOf<'drip'>): Effect {
  return {
    deliver: (response: ServerResponse, text) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const bytes = Buffer.from(text)
      let sent = 0
      const timer = setInterval(() => {
        if (sent < bytes.length) response.write(bytes.subarray(sent, ++sent))
        else response.end()
      }, everyMs)
      response.once('close', () => clearInterval(timer))
    },
  }
}

/** The answer behind so many megabytes of blanks, which JSON allows. */
export function oversized({ megabytes }: FaultOf<'oversized'>): Effect {
  const blanks = Buffer.alloc(1024 * 1024, ' ')
  return {
    deliver: (response, text) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      let left = megabytes
      const more = () => {
        while (left > 0) {
          left--
          if (!response.write(blanks)) return
        }
        response.off('drain', more)
        response.end(text)
      }
      response.on('drain', more)
      more()
    },
  }
}

/** No answer, ever: the connection stays open until somebody closes it. */
export function hang(): Effect {
  return { deliver: () => {} }
}

/** The connection is cut in the middle of the call. */
export function reset(): Effect {
  return { deliver: response => void response.socket?.resetAndDestroy() }
}

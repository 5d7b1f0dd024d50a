import type { Socket } from 'node:net'

/** How an interim answer begins, but for its version, which may be 1.0. */
const interim = 'HTTP/1.1 1'
const continued = `${interim}00`
/** The place of the status' last digit. */
const lastDigit = continued.length - 1
const two = '2'.charCodeAt(0)
const blankLine = '\r\n\r\n'
const [cr, lf] = [13, 10]

/**
 * The most lines of an answer's heads together, and behind them. undici keeps two buffers for each header and each trailer, which
 * take some hundred bytes more than the header itself. Trailers look like any other bytes here. Of a body, 64 KiB are read.
 */
const linesMax = { heads: 1_000, body: 8_192 }

/** An answer whose head is too long, or of too many lines. undici has the same code for it. */
class AnswerTooLong extends Error {
  readonly code = 'UND_ERR_HEADERS_OVERFLOW'
}

/**
 * Lets undici accept `100 Continue`. Proxies send it without being asked, and that is legal. undici, which never asks, takes it
 * for a broken answer and closes the connection. Here it becomes a 102, which undici reports like every other interim answer.
 *
 * It also bounds the heads' bytes and the answer's lines: undici counts names and values only, so that any number of short
 * headers and trailers fits in.
 * @param socket of one request at a time, read by `read()` alone, as undici does.
 */
export function acceptContinue<T extends Socket>(socket: T, headBytesMax: number): T {
  const read = socket.read.bind(socket)
  const write = socket.write.bind(socket) as Socket['write']
  let next: 'begin' | 'interim' | 'head' | 'body' = 'body'
  /** The beginning of an answer, until it shows whether it is an interim one. */
  let held: Buffer | null = null
  /** Of the head that is being read: how many bytes have passed, and the last three of them. */
  let passed = 0
  let tail = ''
  /** Of the answer's heads, or of what is behind them. */
  let lines = 0

  socket.write = ((...args: Parameters<Socket['write']>) => {
    next = 'begin'
    lines = 0
    return write(...args)
  }) as Socket['write']

  socket.read = (size?: number) => {
    const chunk: Buffer | null = read(size)
    if (chunk === null) return chunk
    if (next === 'body') return countLines(chunk, linesMax.body) ? chunk : tooLong()
    const bytes = held ? Buffer.concat([held, chunk]) : chunk
    held = null
    for (let at = 0; at < bytes.length; ) {
      if (next === 'begin') {
        // Line breaks before an answer are passed over by undici, too.
        if (bytes[at] === cr || bytes[at] === lf) {
          if (!countLines(bytes.subarray(at, ++at), linesMax.heads)) return tooLong()
          continue
        }
        const begin = bytes.toString('latin1', at, at + continued.length).replace(/^HTTP\/1\.0/, 'HTTP/1.1')
        if (begin.length < continued.length && interim.startsWith(begin.slice(0, interim.length))) {
          held = bytes.subarray(at)
          return at > 0 ? bytes.subarray(0, at) : null
        }
        if (begin === continued) bytes[at + lastDigit] = two
        next = begin.startsWith(interim) ? 'interim' : 'head'
        passed = 0
        tail = ''
      }
      const end = endOfHead(bytes, at)
      passed += (end ?? bytes.length) - at
      if (passed > headBytesMax || !countLines(bytes.subarray(at, end ?? bytes.length), linesMax.heads))
        return tooLong()
      if (end === null) return bytes
      if (next === 'head') {
        next = 'body'
        lines = 0
        return countLines(bytes.subarray(end), linesMax.body) ? bytes : tooLong()
      }
      next = 'begin'
      at = end
    }
    return bytes
  }
  return socket

  /** Counts line feeds. @returns false when there are too many by now. */
  function countLines(bytes: Buffer, max: number): boolean {
    for (let at = bytes.indexOf(lf); at >= 0 && lines <= max; at = bytes.indexOf(lf, at + 1)) lines++
    return lines <= max
  }

  function tooLong(): null {
    socket.destroy(
      new AnswerTooLong(`an answer with headers beyond ${headBytesMax} bytes, or with too many lines`),
    )
    return null
  }

  /** Finds where the head that goes on at a place ends. null: not in these bytes. */
  function endOfHead(bytes: Buffer, at: number): number | null {
    const seam = `${tail}${bytes.toString('latin1', at, at + 3)}`.indexOf(blankLine)
    if (seam >= 0) return at + seam + blankLine.length - tail.length
    const found = bytes.indexOf(blankLine, at)
    if (found >= 0) return found + blankLine.length
    tail = `${tail}${bytes.toString('latin1', Math.max(at, bytes.length - 3))}`.slice(-3)
    return null
  }
}

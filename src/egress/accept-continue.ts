import type { Socket } from 'node:net'

/** How an interim answer begins, but for its version, which may be 1.0. */
const interim = 'HTTP/1.1 1'
const continued = `${interim}00`
/** The place of the status' last digit. */
const lastDigit = continued.length - 1
const two = '2'.charCodeAt(0)
const blankLine = '\r\n\r\n'

/** An answer whose status line and headers are too long. undici has the same code for it. */
class HeadTooLong extends Error {
  readonly code = 'UND_ERR_HEADERS_OVERFLOW'
}

/**
 * Lets undici accept `100 Continue`. Proxies send it without being asked, and that is legal. undici, which never asks, takes it
 * for a broken answer and closes the connection. Here it becomes a 102, which undici reports like every other interim answer.
 * Of an answer only the head is looked at.
 *
 * It also bounds the heads' bytes: undici counts names and values only, so that thousands of short headers fit in.
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

  socket.write = ((...args: Parameters<Socket['write']>) => {
    next = 'begin'
    return write(...args)
  }) as Socket['write']

  socket.read = (size?: number) => {
    const chunk: Buffer | null = read(size)
    if (next === 'body' || chunk === null) return chunk
    const bytes = held ? Buffer.concat([held, chunk]) : chunk
    held = null
    for (let at = 0; at < bytes.length; ) {
      if (next === 'begin') {
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
      if (passed > headBytesMax) {
        socket.destroy(new HeadTooLong(`an answer whose headers are longer than ${headBytesMax} bytes`))
        return null
      }
      if (end === null) return bytes
      if (next === 'head') {
        next = 'body'
        return bytes
      }
      next = 'begin'
      at = end
    }
    return bytes
  }
  return socket

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

/** A JSON text that is read from its bytes. No part becomes a string unless a caller needs it. */
export interface JsonScan {
  readonly bytes: Buffer
  /** The same bytes as 32-bit words. */
  readonly words: Int32Array
  /** The position of the next character to read. */
  at: number
}

export const comma = 0x2c
export const colon = 0x3a
export const quote = 0x22
const backslash = 0x5c

/** 1 for the characters that need no decoding in a string: ASCII without control characters, quote and backslash. */
const plain = new Uint8Array(256).fill(1, 0x20, 0x80)
plain[quote] = 0
plain[backslash] = 0

export function startScan(body: Buffer): JsonScan {
  // An Int32Array has to begin at a multiple of four.
  const bytes = body.byteOffset % 4 === 0 ? body : Buffer.copyBytesFrom(body)
  return { bytes, words: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2), at: 0 }
}

/**
 * Skips a string. @returns whether it is plain: ASCII without escapes, so that its bytes are its characters.
 * @throws SyntaxError when there is none.
 */
export function skipString(scan: JsonScan): boolean {
  expect(scan, quote)
  let isPlain = true
  for (;;) {
    scan.at = plainEnd(scan)
    const stopped = scan.bytes[scan.at++]
    if (stopped === quote) return isPlain
    isPlain = false
    if (stopped === backslash) skipEscape(scan)
    else if (stopped === undefined || stopped < 0x80) throw notJson(scan)
  }
}

/** Finds the end of the plain characters that come next. Compares four at a time, since a block is mostly long hex. */
function plainEnd({ bytes, words, at }: JsonScan): number {
  let end = at
  // Names are short: most end here, before the comparison by words.
  for (const long = at + 16; end < long; end++) if (plain[bytes[end]!] !== 1) return end
  // The first word may begin with characters already compared. They are plain.
  let word = end >> 2
  while (word < words.length && isPlainWord(words[word]!)) word++
  end = word << 2
  while (plain[bytes[end]!] === 1) end++
  return end
}

function isPlainWord(word: number): boolean {
  // Each expression sets the highest bit of some byte if a byte is a control character, a quote, a backslash; `word` has it
  // set for bytes beyond ASCII.
  const control = (word - 0x20202020) & ~word
  const quotes = word ^ 0x22222222
  const backslashes = word ^ 0x5c5c5c5c
  const quoted = (quotes - 0x01010101) & ~quotes
  const escaped = (backslashes - 0x01010101) & ~backslashes
  return ((control | quoted | escaped | word) & 0x80808080) === 0
}

function skipEscape(scan: JsonScan): void {
  // Escapes are rare, so a regular expression is fast enough.
  const found = /^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(scan.bytes.toString('latin1', scan.at, scan.at + 5))
  if (!found) throw notJson(scan)
  scan.at += found[0].length
}

/** Skips a number, `true`, `false` or `null`. @throws SyntaxError when there is none. */
export function skipNumberOrWord(scan: JsonScan): void {
  const { bytes } = scan
  const first = bytes[scan.at]!
  if (first === 0x2d || isDigit(first)) skipNumber(scan)
  else if (first === 0x74) for (const letter of 'true') expect(scan, letter.charCodeAt(0))
  else if (first === 0x66) for (const letter of 'false') expect(scan, letter.charCodeAt(0))
  else for (const letter of 'null') expect(scan, letter.charCodeAt(0))
}

function skipNumber(scan: JsonScan): void {
  const { bytes } = scan
  if (bytes[scan.at] === 0x2d) scan.at++
  // A number with a leading zero ends there; a digit after it is an error that the caller finds.
  if (bytes[scan.at] === 0x30) scan.at++
  else skipDigits(scan)
  if (bytes[scan.at] === 0x2e) {
    scan.at++
    skipDigits(scan)
  }
  if (bytes[scan.at] === 0x65 || bytes[scan.at] === 0x45) {
    scan.at++
    if (bytes[scan.at] === 0x2b || bytes[scan.at] === 0x2d) scan.at++
    skipDigits(scan)
  }
}

function skipDigits(scan: JsonScan): void {
  const { bytes } = scan
  if (!isDigit(bytes[scan.at]!)) throw notJson(scan)
  while (isDigit(bytes[scan.at]!)) scan.at++
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** Skips white space. Nodes send none. */
export function skipSpace(scan: JsonScan): void {
  if (scan.bytes[scan.at]! > 0x20) return
  for (;;) {
    const next = scan.bytes[scan.at]!
    if (next !== 0x20 && next !== 0x0a && next !== 0x0d && next !== 0x09) return
    scan.at++
  }
}

/** Skips one character. @throws SyntaxError when another comes. */
export function expect(scan: JsonScan, byte: number): void {
  if (scan.bytes[scan.at] !== byte) throw notJson(scan)
  scan.at++
}

export function notJson({ bytes, at }: JsonScan): SyntaxError {
  return new SyntaxError(
    at < bytes.length ? `no JSON at byte ${at}` : `no JSON: it ends at byte ${bytes.length}`,
  )
}

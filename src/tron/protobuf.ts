/** A field of a message. Numbers are written as varints; bytes, text and nested messages with their length in front. */
export type ProtobufField = [number: number, value: number | Uint8Array | string]

/**
 * Encodes a protobuf message.
 * @param fields in the order of their numbers: whole numbers up to 2^53, bytes, or text. Values at their default (0, empty)
 * are left out, as in proto3.
 */
export function encodeProtobuf(fields: readonly ProtobufField[]): Buffer {
  const parts: Uint8Array[] = []
  for (const [number, value] of fields) {
    if (typeof value === 'number') {
      if (value !== 0) parts.push(varint(number * 8), varint(value))
      continue
    }
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
    if (bytes.length > 0) parts.push(varint(number * 8 + 2), varint(bytes.length), bytes)
  }
  return Buffer.concat(parts)
}

/**
 * Encodes one field of bytes or a nested message, an empty one too: elements of a list are written even when they are empty.
 * @param number of the field.
 */
export function encodeElement(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([elementHead(number, bytes.length), bytes])
}

/** Returns what stands in front of such a field: its number and its length in bytes. */
export function elementHead(number: number, length: number): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(length)])
}

/**
 * Writes messages of bytes and nested messages, one after the other, into memory that is used again: for those that are only
 * hashed.
 */
export class MessageWriter {
  #bytes = Buffer.allocUnsafe(4_096)
  #length = 0

  /** Begins another message: what was returned of the one before is overwritten. */
  clear(): void {
    this.#length = 0
    if (this.#bytes.length > keptBytesMax) this.#bytes = Buffer.allocUnsafe(4_096)
  }

  /** Returns the message so far. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Adds a field of bytes. @param number of the field, below 16. */
  add(number: number, bytes: Buffer): void {
    this.#head(number, bytes.length)
    bytes.copy(this.#bytes, this.#length)
    this.#length += bytes.length
  }

  /**
   * Adds a field of bytes that are written in hex.
   * @returns the bytes, until the next call; null when it is not hex: the message is of no use then.
   */
  addHex(number: number, hex: string): Buffer | null {
    const length = hex.length >>> 1
    this.#head(number, length)
    const start = this.#length
    this.#length += length
    // It stops at what is not hex.
    if (length * 2 !== hex.length || this.#bytes.write(hex, start, length, 'hex') !== length) return null
    return this.#bytes.subarray(start, this.#length)
  }

  #head(number: number, length: number): void {
    const needed = this.#length + 1 + varintBytesMax + length
    if (needed > this.#bytes.length) {
      const longer = Buffer.allocUnsafe(2 * needed)
      this.#bytes.copy(longer, 0, 0, this.#length)
      this.#bytes = longer
    }
    this.#bytes[this.#length++] = number * 8 + 2
    let rest = length
    for (; rest >= 128; rest >>>= 7) this.#bytes[this.#length++] = (rest % 128) + 128
    this.#bytes[this.#length++] = rest
  }
}

/** Of a message that was longer than usual no memory is kept. */
const keptBytesMax = 1024 * 1024
/** Of a length: Buffers are below 2^35 bytes. */
const varintBytesMax = 5

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  // Division, not shifts: shifts would cut the number to 32 bits.
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

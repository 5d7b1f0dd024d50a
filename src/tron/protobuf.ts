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
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

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

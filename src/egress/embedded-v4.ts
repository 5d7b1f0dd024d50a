import { isIPv6 } from 'node:net'

/** Reads the IPv4 address out of `::ffff:a.b.c.d`, for which the system dials it. @returns null for any other address. */
export function mappedV4(address: string): string | null {
  return embeddedV4(address, bytes => bytes.slice(0, 10).every(byte => byte === 0) && isOnes(bytes, 10), 12)
}

/**
 * Reads the IPv4 address out of an IPv6 address that contains one: NAT64, 6to4, IPv4-compatible, IPv4-mapped or Teredo.
 * @returns null for an address that contains none.
 */
export function innerV4(address: string): string | null {
  return (
    mappedV4(address) ??
    embeddedV4(address, isCompatibleV4, 12) ??
    embeddedV4(address, bytes => startsWith(bytes, 0x00, 0x64, 0xff, 0x9b), 12) ??
    embeddedV4(address, bytes => startsWith(bytes, 0x20, 0x02), 2) ??
    // Teredo has the client's address at the end, inverted.
    embeddedV4(address, bytes => startsWith(bytes, 0x20, 0x01, 0x00, 0x00), 12, 0xff)
  )
}

function embeddedV4(
  address: string,
  matches: (bytes: readonly number[]) => boolean,
  at: number,
  mask = 0,
): string | null {
  if (!isIPv6(address) || address.includes('%')) return null
  const bytes = bytesOfV6(address)
  if (!matches(bytes)) return null
  return bytes
    .slice(at, at + 4)
    .map(byte => byte ^ mask)
    .join('.')
}

/** Reads the 16 bytes of a valid IPv6 address without a zone. */
function bytesOfV6(address: string): number[] {
  const text = address.replace(/\d+\.\d+\.\d+\.\d+$/, v4 => {
    const [a, b, c, d] = v4.split('.').map(Number) as [number, number, number, number]
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [head, tail] = text.split('::') as [string, string | undefined]
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const words = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right]
  return words.flatMap(word => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255])
}

/** Tells whether it is ::a.b.c.d. :: and ::1 are not: they have a meaning of their own. */
function isCompatibleV4(bytes: readonly number[]): boolean {
  return bytes.slice(0, 12).every(byte => byte === 0) && bytes.slice(12, 15).some(byte => byte !== 0)
}

function startsWith(bytes: readonly number[], ...prefix: number[]): boolean {
  return prefix.every((byte, i) => bytes[i] === byte)
}

function isOnes(bytes: readonly number[], at: number): boolean {
  return bytes[at] === 255 && bytes[at + 1] === 255
}

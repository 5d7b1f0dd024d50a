import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Dispatcher } from 'undici'
import type { AnswerShare } from './answer-budget.ts'
import { NodeError } from './node-error.ts'

const unzip = promisify(gunzip)

/** An answer's body, decompressed. */
export interface AnswerBody {
  bytes: Buffer
  /** Gives its memory back to the budget. */
  release(): void
}

/**
 * Reads and decompresses a body, byte for byte within the budget. undici's own decompression is experimental; zlib stops at a
 * limit by itself.
 * @param maxBytes of the body, both as it comes and decompressed.
 * @throws NodeError when it is longer, or the node's answers together are.
 */
export async function readAnswerBody(
  response: Pick<Dispatcher.ResponseData, 'body' | 'headers'>,
  maxBytes: number,
  share: AnswerShare,
): Promise<AnswerBody> {
  let held = 0
  const take = (bytes: number) => {
    if (!share.take(bytes)) {
      throw new NodeError(
        'failed',
        `its answers together take too much memory (${held + bytes} bytes in this one)`,
      )
    }
    held += bytes
  }
  const release = () => share.give(held)
  try {
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > maxBytes) throw tooLong(maxBytes)
      take(chunk.length)
      chunks.push(chunk)
    }
    const body = Buffer.concat(chunks, length)
    if (firstOf(response.headers['content-encoding']) !== 'gzip') return { bytes: body, release }
    return { bytes: await decompress(body, maxBytes, take), release }
  } catch (error) {
    release()
    throw error
  }
}

/** The last four bytes of gzip are the length of what it holds, in the last part if it has several. */
const lengthBytes = 4
const shortest = 18
/** The next limit after a length that was wrong. */
const firstLimit = 256 * 1024

async function decompress(body: Buffer, maxBytes: number, take: (bytes: number) => void): Promise<Buffer> {
  const said = body.length < shortest ? 0 : body.readUInt32LE(body.length - lengthBytes)
  if (said > maxBytes) throw tooLong(maxBytes)
  take(said)
  for (let limit = said; ; ) {
    try {
      // zlib allows no limit of 0.
      return await unzip(body, { maxOutputLength: Math.max(1, limit) })
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_BUFFER_TOO_LARGE') throw error
      if (limit >= maxBytes) throw tooLong(maxBytes)
      // Several parts, or a length that is wrong.
      const next = Math.min(maxBytes, Math.max(firstLimit, 4 * limit))
      take(next - limit)
      limit = next
    }
  }
}

function tooLong(maxBytes: number): NodeError {
  return new NodeError('failed', `its answer is longer than ${maxBytes} bytes`)
}

export function firstOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

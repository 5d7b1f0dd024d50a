import { constants, gunzipSync } from 'node:zlib'

/**
 * Undoes gzip, which some servers answer with although nobody asked for it.
 * @param body what was read of it: its end may be missing.
 * @param maxBytes a body that is longer when it is plain is returned as it came.
 */
export function plainAnswer(body: Buffer, encoding: string | undefined, maxBytes: number): Buffer {
  if (!encoding || !/^\s*(x-)?gzip\s*$/i.test(encoding)) return body
  try {
    return gunzipSync(body, { maxOutputLength: maxBytes, finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    // Not gzip, or too long: it is judged by its bytes.
    return body
  }
}

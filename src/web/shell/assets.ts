import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

/** A file for browsers. Its name changes with its content, so it may be cached permanently. */
export interface Asset {
  /** `pay.0123456789ab.js` */
  name: string
  /** What a page writes: `/assets/pay.0123456789ab.js` */
  path: string
  contentType: string
  bytes: Buffer
  /** The same bytes with `content-encoding: gzip`, compressed once. */
  gzip: Buffer
}

export const assetFolder = '/assets/'

const contentTypes = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
} as const

/** Makes an asset of a text. `stem` is its name without the hash and the ending. */
export function makeAsset(stem: string, ending: keyof typeof contentTypes, text: string): Asset {
  const bytes = Buffer.from(text)
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  const name = `${stem}.${hash}.${ending}`
  return {
    name,
    path: assetFolder + name,
    contentType: contentTypes[ending],
    bytes,
    gzip: gzipSync(bytes, { level: 9 }),
  }
}

import { idOfHeaderBytes } from '../../../src/tron/block-id.ts'
import { MessageFields } from '../../../src/tron/message-fields.ts'
import { encodeElement } from '../../../src/tron/protobuf.ts'
import { sentBlockOfMessage } from '../../../src/tron/verify/block-message.ts'
import type { SentHeader } from '../../../src/tron/verify/sent-block.ts'

/** Reads a header. @param bytes a `BlockHeader`; or its `raw_data`, with the signature beside it. Its id is computed. */
export function headerOfMessage(bytes: Buffer, signature?: Buffer): SentHeader {
  const header = signature ? Buffer.concat([encodeElement(1, bytes), encodeElement(2, signature)]) : bytes
  const id = idOfHeaderBytes(heightOf(header), rawOf(header))
  const message = Buffer.concat([encodeElement(2, header), encodeElement(3, Buffer.from(id, 'hex'))])
  return sentBlockOfMessage(message, '')!
}

function rawOf(header: Buffer): Buffer {
  const fields = new MessageFields(header)
  while (fields.next()) if (fields.number === 1) return fields.bytes()
  throw new Error('no raw_data')
}

function heightOf(header: Buffer): number {
  const fields = new MessageFields(rawOf(header))
  while (fields.next()) if (fields.number === 7) return fields.integer()
  return 0
}

/** A message that is not protobuf as java-tron writes it: cut off, a length beyond its end, a field of another type. */
export class MessageError extends Error {
  override readonly name = 'MessageError'
}

/** Wire types. Groups (3 and 4) are passed over: java-tron keeps them in unknown fields, which anybody can put in a result. */
export const wireVarint = 0
const wireFixed64 = 1
/** Bytes, text and nested messages. */
export const wireBytes = 2
const wireGroup = 3
const wireGroupEnd = 4
const wireFixed32 = 5

/** java-tron's limit for what it reads itself. */
const groupDepthMax = 100
const tagBytesMax = 5
const varintBytesMax = 10

/**
 * Visits the fields of a protobuf message in order. What is not asked for is passed over by its length: `next` copies and
 * allocates nothing. It moves forward at every call, so a loop over it ends. Every error is a MessageError.
 *
 *     const fields = new MessageFields(bytes)
 *     while (fields.next()) {
 *       if (fields.number === 1) height = fields.integer()
 *       else if (fields.number === 2) readHeader(fields.nested())
 *     }
 *
 * Whether a field may come twice is the caller's to decide: protobuf takes the last one, or joins them.
 */
export class MessageFields {
  /** The field that `next` moved to: 1 to 2^29 - 1. */
  number = 0
  wireType = 0
  /** Where its content is in `buffer`: of wire type 2 without the length in front, of a group with its end. */
  start = 0
  end = 0
  readonly buffer: Buffer
  #at: number
  readonly #limit: number

  /** @param start and `end` bound the message inside the buffer; by default it is the whole buffer. */
  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    if (!(start >= 0 && start <= end && end <= buffer.length))
      throw new MessageError('bounds outside the buffer')
    this.buffer = buffer
    this.#at = start
    this.#limit = end
  }

  /**
   * Moves to the next field.
   * @returns false at the end of the message.
   * @throws MessageError
   */
  next(): boolean {
    if (this.#at === this.#limit) return false
    const tag = this.#tag()
    this.number = tag >>> 3
    this.wireType = tag & 7
    if (this.wireType === wireGroup) this.#passGroup(this.number)
    else this.#pass(this.wireType)
    return true
  }

  /** Reads the field as a whole number. @throws MessageError when it is no varint, is negative, or is above 2^53 - 1. */
  integer(): number {
    if (this.wireType !== wireVarint) throw this.#wrongType('a number')
    return this.#varint(this.start, this.end)
  }

  /** Reads the field as bytes: a slice of the buffer, not a copy. @throws MessageError when it has no length in front. */
  bytes(): Buffer {
    if (this.wireType !== wireBytes) throw this.#wrongType('bytes')
    return this.buffer.subarray(this.start, this.end)
  }

  /** Reads the field as a message. @throws MessageError when it has no length in front. */
  nested(): MessageFields {
    if (this.wireType !== wireBytes) throw this.#wrongType('a message')
    return new MessageFields(this.buffer, this.start, this.end)
  }

  #wrongType(wanted: string): MessageError {
    return new MessageError(`field ${this.number} is not ${wanted}, but of wire type ${this.wireType}`)
  }

  /** Reads a field's number and wire type. */
  #tag(): number {
    const first = this.buffer[this.#at]!
    let tag = first
    // Numbers below 16 take one byte.
    if (first < 0x80) this.#at++
    else {
      const from = this.#at
      this.#passVarint()
      tag = this.#at - from > tagBytesMax ? Number.POSITIVE_INFINITY : this.#varint(from, this.#at)
    }
    if (tag > 0xffff_ffff) throw new MessageError('a field number above 2^29 - 1')
    if (tag < 8) throw new MessageError('a field number 0')
    return tag
  }

  /** Passes over the content of a field that is no group, and notes where it is. */
  #pass(wireType: number): void {
    this.start = this.#at
    if (wireType === wireVarint) this.#passVarint()
    else if (wireType === wireBytes) {
      let length = this.#at < this.#limit ? this.buffer[this.#at]! : 0x80
      if (length < 0x80) this.#at++
      else {
        this.#passVarint()
        length = this.#varint(this.start, this.#at)
      }
      this.start = this.#at
      this.#passBytes(length)
    } else if (wireType === wireFixed64) this.#passBytes(8)
    else if (wireType === wireFixed32) this.#passBytes(4)
    else
      throw new MessageError(
        wireType === wireGroupEnd ? 'a group ends that did not begin' : `wire type ${wireType}`,
      )
    this.end = this.#at
  }

  #passGroup(number: number): void {
    const start = this.#at
    const open = [number]
    while (open.length > 0) {
      if (this.#at === this.#limit) throw new MessageError('a group does not end')
      const tag = this.#tag()
      const wireType = tag & 7
      if (wireType === wireGroup) {
        if (open.push(tag >>> 3) > groupDepthMax)
          throw new MessageError(`groups more than ${groupDepthMax} deep`)
      } else if (wireType === wireGroupEnd) {
        if (open.pop() !== tag >>> 3) throw new MessageError('a group ends that did not begin')
      } else this.#pass(wireType)
    }
    this.start = start
    this.end = this.#at
  }

  #passBytes(length: number): void {
    if (length > this.#limit - this.#at)
      throw new MessageError('a field goes on beyond the end of its message')
    this.#at += length
  }

  #passVarint(): void {
    const from = this.#at
    for (;;) {
      if (this.#at === this.#limit) throw new MessageError('the message is cut off in a number')
      if (this.buffer[this.#at++]! < 0x80) return
      if (this.#at - from === varintBytesMax)
        throw new MessageError(`a number of more than ${varintBytesMax} bytes`)
    }
  }

  /** Returns the value of a varint that has been passed over. */
  #varint(from: number, to: number): number {
    let value = 0
    // Multiplied, not shifted: shifts would cut the number to 32 bits.
    for (let i = to - 1; i >= from; i--) value = value * 128 + (this.buffer[i]! & 0x7f)
    if (value > Number.MAX_SAFE_INTEGER) throw new MessageError('a number that is negative or above 2^53 - 1')
    return value
  }
}

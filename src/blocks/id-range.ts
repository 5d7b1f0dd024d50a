/** The ids of consecutive blocks, 32 bytes each: a million of them take 32 MB. */
export class IdRange {
  /** The height of the first. */
  readonly from: number
  #ids: Buffer
  #count = 0

  constructor(from: number) {
    this.from = from
    this.#ids = Buffer.alloc(32 * 1_024)
  }

  /** The height of the last; one below `from` when there is none. */
  get last(): number {
    return this.from + this.#count - 1
  }

  /** Adds the next block's id: 64 hex digits. */
  add(id: string): void {
    if ((this.#count + 1) * 32 > this.#ids.length) {
      this.#ids = Buffer.concat([this.#ids, Buffer.alloc(this.#ids.length)])
    }
    this.#ids.write(id, this.#count * 32, 'hex')
    this.#count++
  }

  /** Drops the ids above a height. */
  cutAbove(height: number): void {
    this.#count = Math.max(0, Math.min(this.#count, height - this.from + 1))
  }

  /** @returns null for a height outside the range. */
  idAt(height: number): string | null {
    if (height < this.from || height > this.last) return null
    const at = (height - this.from) * 32
    return this.#ids.toString('hex', at, at + 32)
  }
}

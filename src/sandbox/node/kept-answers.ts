import type { SandboxBlock } from '../chain/sandbox-block.ts'

/** What of a block is asked for, in which form. */
export type AnswerForm = 'block' | 'header' | 'infos' | 'block message' | 'header message' | 'info messages'

interface Kept {
  answer: object
  /** How `answer` is sent. */
  written: Buffer
}

/** Enough for some hundred blocks of 200 transfers over gRPC. */
export const keptBytesDefault = 64 * 1024 * 1024

/**
 * The answers about blocks that were given last, and how they are written: encoding takes longer than all else that a node
 * does, and several readers ask for the same blocks. Blocks are told apart as objects, not by id: a lie may keep the id.
 */
export class KeptAnswers {
  readonly #maxBytes: number
  /** The oldest first. */
  readonly #kept = new Map<SandboxBlock, Map<AnswerForm, Kept>>()
  readonly #written = new WeakMap<object, Buffer>()
  #bytes = 0

  constructor(maxBytes: number = keptBytesDefault) {
    this.#maxBytes = maxBytes
  }

  /**
   * Returns the answer about a block: that of before, or a new one.
   * @param write what is sent for it. Whoever changes an answer makes another object.
   */
  of<T extends object>(
    block: SandboxBlock,
    form: AnswerForm,
    { make, write }: { make: (block: SandboxBlock) => T; write: (answer: T) => Buffer },
  ): T {
    const known = this.#kept.get(block)?.get(form)
    if (known) return known.answer as T
    const answer = make(block)
    const written = write(answer)
    this.#keep(block, form, { answer, written })
    return answer
  }

  /** Says how an answer is written that is put together from kept ones. */
  writtenAs<T extends object>(answer: T, written: Buffer): T {
    this.#written.set(answer, written)
    return answer
  }

  /** Returns how an answer is written, if it is one of those kept, unchanged. */
  written(answer: unknown): Buffer | undefined {
    return typeof answer === 'object' && answer !== null ? this.#written.get(answer) : undefined
  }

  #keep(block: SandboxBlock, form: AnswerForm, kept: Kept): void {
    const forms = this.#kept.get(block) ?? new Map<AnswerForm, Kept>()
    this.#kept.set(block, forms.set(form, kept))
    this.#written.set(kept.answer, kept.written)
    this.#bytes += kept.written.length
    for (const [oldest, itsForms] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) return
      this.#kept.delete(oldest)
      for (const { written } of itsForms.values()) this.#bytes -= written.length
    }
  }
}

/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { tookTooLong } from '../../../db/read-pool.ts'
import { commonWords } from './common-words.ts'
import type { Page } from './page.ts'

/** A part of a page, or why it could not be read. */
export type Part<T> = { value: T } | { problem: 'slow' | 'failed' }

/** Reads a part of a page. One that fails is logged, and the others are shown all the same. */
export async function readPart<T>(page: Page, work: () => Promise<T>): Promise<Part<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    if (tookTooLong(error)) return { problem: 'slow' }
    page.context.log.warn({ err: error, requestId: page.request.id }, 'console.failed')
    return { problem: 'failed' }
  }
}

/** @returns null when it could not be read. */
export function valueIn<T>(part: Part<T>): T | null {
  return 'value' in part ? part.value : null
}

/** Shows a part, or says that it could not be read. */
export function PartOf<T>(props: { page: Page; part: Part<T>; children: (value: T) => ComponentChildren }) {
  const { page, part, children } = props
  if ('value' in part) return <>{children(part.value)}</>
  const { partSlow, partFailed } = commonWords(page).problems
  return (
    <p class="problem">
      {part.problem === 'slow' ? partSlow : partFailed}
      {part.problem === 'failed' && <span class="mono"> {page.request.id}</span>}
    </p>
  )
}

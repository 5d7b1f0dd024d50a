import { type Page, wordsOf } from '../parts/page.ts'
import type { Tone } from '../parts/value-parts.tsx'
import { type NodesWords, nodesWords } from './nodes-words.ts'

type KnownState = keyof NodesWords['states']

const tones: Record<KnownState, Tone> = { ok: 'green', later: 'amber', failing: 'red', distrusted: 'red' }

/** What is said of a node's state. A newer watcher may write one that is not known here. */
export function nodeStateText(page: Page, state: string): string {
  return isKnown(state) ? wordsOf(page, nodesWords).states[state] : state
}

export function nodeStateTone(state: string): Tone {
  return isKnown(state) ? tones[state] : 'amber'
}

function isKnown(state: string): state is KnownState {
  return Object.hasOwn(tones, state)
}

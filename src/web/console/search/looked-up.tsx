/** @jsxRuntime automatic @jsxImportSource preact */
import type { ComponentChildren } from 'preact'
import { Facts, Section } from '../parts/list-parts.tsx'
import { href, type Page } from '../parts/page.ts'
import { Amount, Id, Time } from '../parts/value-parts.tsx'
import type { LookUpAnswer } from './look-up-transfer.ts'
import type { SearchWords } from './search-words.ts'

/** Says what a node says of a transaction that is not recorded, and what to do next. */
export function LookedUp(props: { page: Page; words: SearchWords; answer: LookUpAnswer }) {
  const { page, words, answer } = props
  if (answer.kind === 'unasked')
    return (
      <Section title={words.nothing}>
        <p>{words.unasked[answer.why]}</p>
      </Section>
    )
  return (
    <Section title={words.lookedUp}>
      <p>
        <strong>{sentenceOf(words, answer)}</strong>
      </p>
      <Facts rows={factsOf(page, words, answer)} />
      <p class="quiet">
        {words.word} {answer.node !== null && words.wordOf(answer.node)}
      </p>
    </Section>
  )
}

type Said = Exclude<LookUpAnswer, { kind: 'unasked' }>

function sentenceOf({ answers }: SearchWords, answer: Said): string {
  if (answer.kind === 'not_yet') return answers.not_yet(answer.blocksToGo)
  return answer.kind === 'other_token' && answer.toOwn ? answers.other_token_own : answers[answer.kind]
}

function factsOf(page: Page, words: SearchWords, answer: Said): [name: string, value: ComponentChildren][] {
  if (answer.kind === 'unknown') return []
  return [
    [words.block, answer.height],
    [words.time, <Time at={answer.time} />],
    ...('contract' in answer
      ? [[words.contract, <Id text={answer.contract} />] as [string, ComponentChildren]]
      : []),
    ...('to' in answer
      ? answer.to.map((to): [string, ComponentChildren] => [words.paidTo, <Id text={to} />])
      : []),
    ...('transfers' in answer
      ? answer.transfers.map(({ address, amount }): [string, ComponentChildren] => [
          words.paidTo,
          <>
            <Id text={address} link={href(page, `/addresses/${address}`)} /> <Amount units={amount} />
          </>,
        ])
      : []),
  ]
}

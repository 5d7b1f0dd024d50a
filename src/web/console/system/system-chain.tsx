/** @jsxRuntime automatic @jsxImportSource preact */
import type { GatewayStatus } from '../../../credits/read-status.ts'
import { Facts } from '../parts/list-parts.tsx'
import { href, type Page } from '../parts/page.ts'
import { statusWarning } from '../parts/status-warnings.ts'
import { Count, Id, State, Time } from '../parts/value-parts.tsx'
import type { ChainFacts } from './system-store.ts'
import type { SystemWords } from './system-words.ts'

/** How far the chain is followed, and by whom. */
export function Chain(props: { words: SystemWords; chain: ChainFacts }) {
  const { words, chain } = props
  return (
    <Facts
      rows={[
        [words.network, chain.network],
        [words.contract, <Id text={chain.usdtContract} key="contract" />],
        [words.cursor, <Count value={chain.height} key="cursor" />],
        [words.cursorTime, <Time at={chain.height === 0 ? null : chain.blockTime} key="time" />],
        [words.moved, <Time at={chain.movedAt} key="moved" />],
        [
          words.head,
          chain.headHeight === null ? (
            '–'
          ) : (
            <span key="head">
              <Count value={chain.headHeight} />, <Time at={chain.headSeenAt} />
            </span>
          ),
        ],
        [words.started, <Count value={chain.startHeight} key="start" />],
        [
          words.leader,
          chain.leads ? <State tone="green">{chain.holder}</State> : <State tone="red">{words.nobody}</State>,
        ],
        [words.leaseUntil, <Time at={chain.leaseUntil} key="lease" />],
      ]}
    />
  )
}

/** Waiting transfers are counted up to here. */
export const waitingMax = 10_000

/** What waits, and what an operator has to know of the following. */
export function Following(props: { page: Page; words: SystemWords; status: GatewayStatus }) {
  const { page, words, status } = props
  const { held, proof, quarantined, unclaimed } = status.waiting
  const waits = (n: number, list: string) => (
    <a href={href(page, '/money', { list })} key={list}>
      {n > waitingMax ? words.moreThan(waitingMax) : <Count value={n} />}
    </a>
  )
  return (
    <Facts
      rows={[
        [words.behind, words.blocks(status.cursor.blocksBehind)],
        [words.unclaimed, waits(unclaimed, 'unclaimed')],
        [words.held, waits(held, 'held')],
        [words.proof, <Count value={proof} key="proof" />],
        [words.quarantined, waits(quarantined, 'quarantine')],
        ...(status.parked.blocks > 0 ? [[words.parked, words.blocks(status.parked.blocks)] as const] : []),
        ...(status.warnings.length > 0
          ? [
              [
                words.warnings,
                status.warnings.map(({ kind }) => (
                  <p key={kind}>{statusWarning(page, kind, status.reportedAt)}</p>
                )),
              ] as const,
            ]
          : []),
      ]}
    />
  )
}

/** @jsxRuntime automatic @jsxImportSource preact */
import type { PendingProofId } from '../../../base/ids.ts'
import { formatUsdt } from '../../../base/money.ts'
import { rejectPendingByHand, releasePending, reopenPendingByHand } from '../../../credits/decide-pending.ts'
import { rejectQuarantined, reopenQuarantined } from '../../../credits/decide-quarantined.ts'
import { readPendingProof } from '../../../credits/pending-proof-store.ts'
import { type Queryable, rows } from '../../../db/pool.ts'
import { acknowledgeDiscrepancy } from '../../../transfers/acknowledge-discrepancy.ts'
import { findDiscrepancy } from '../../../transfers/discrepancy-store.ts'
import { Facts, Section } from '../parts/list-parts.tsx'
import { href, type Page } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Amount, CopyableId, Time } from '../parts/value-parts.tsx'
import {
  afterDecision,
  DecideForm,
  decisionOf,
  found,
  idOf,
  MoneyState,
  problemOf,
  reasonMissing,
  rulesOf,
  type Wrong,
  wordsFor,
} from './money-parts.tsx'

/** What is no transfer of ours yet, and what is about none: for admins of the gateway. */
export const moneyAdminRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/money/proofs/:id', who: 'admin', handle: async page => showProof(page) },
  { method: 'POST', path: '/money/proofs/:id/decide', who: 'admin', handle: decideProof },
  { method: 'GET', path: '/money/logs/:id', who: 'admin', handle: async page => showLog(page) },
  { method: 'POST', path: '/money/logs/:id/decide', who: 'admin', handle: decideLog },
  {
    method: 'GET',
    path: '/money/discrepancies/:id',
    who: 'admin',
    handle: async page => showDiscrepancy(page),
  },
  { method: 'POST', path: '/money/discrepancies/:id/acknowledge', who: 'admin', handle: acknowledge },
]

async function showProof(page: Page, wrong?: Wrong): Promise<Answer> {
  const id = idOf(page) as PendingProofId
  const proof = found(await readPendingProof(page.context.reads, id))
  const words = wordsFor(page)
  const { decide: said } = words
  const title = words.proofTitle(formatUsdt(proof.amount))
  const state = proof.endedAs ?? 'unproved'
  const buttons =
    state === 'unproved'
      ? ([
          ['release', said.release],
          ['reject', said.reject],
        ] as const)
      : state === 'rejected'
        ? ([['reopen', said.reopen]] as const)
        : []
  return {
    ...{ title, status: wrong ? 400 : 200, problem: problemOf(wrong) },
    notice: words.done[page.query.text('done')],
    body: (
      <>
        <div class="title">
          <h1>{title}</h1>
          <MoneyState page={page} state={state} />
        </div>
        <Section title={words.facts}>
          <Facts
            rows={[
              [words.amount, <Amount units={proof.amount} />],
              [words.address, <CopyableId page={page} text={proof.to} />],
              [words.from, <CopyableId page={page} text={proof.from} />],
              [words.txid, <CopyableId page={page} text={proof.txid} />],
              [words.block, `${proof.height}`],
              [words.hosts, proof.hosts.join(', ') || '–'],
            ]}
          />
        </Section>
        {buttons.length > 0 && (
          <Section title={said.title}>
            <p class="hint">{state === 'rejected' ? said.rejected : said.held}</p>
            <DecideForm
              {...{ page, wrong, buttons, form: 'decide', ask: said.ask }}
              action={href(page, `/money/proofs/${id}/decide`)}
            />
          </Section>
        )}
      </>
    ),
  }
}

async function decideProof(page: Page): Promise<Answer> {
  const id = idOf(page) as PendingProofId
  found(await readPendingProof(page.context.reads, id))
  const show = (wrong: Wrong) => showProof(page, wrong)
  const decision = decisionOf(page)
  if (!decision) return show(reasonMissing(page, 'decide'))
  const { pool } = page.context
  const rules = await rulesOf(page)
  const after = { path: `/money/proofs/${id}`, done: 'decided', form: 'decide', show }
  const wanted = page.form.text('decision')
  if (wanted === 'release') return afterDecision(page, await releasePending(pool, rules, id, decision), after)
  if (wanted === 'reopen')
    return afterDecision(page, await reopenPendingByHand(pool, rules, id, decision), after)
  const rejected =
    wanted === 'reject'
      ? await rejectPendingByHand(pool, rules, id, decision, null)
      : ({ kind: 'none' } as const)
  return 'state' in rejected ? afterDecision(page, rejected, after) : show(unknownDecision(page))
}

const unknownDecision = (page: Page): Wrong => {
  const { problems, states } = wordsFor(page)
  return { form: 'decide', text: problems.impossible(states.unknown!) }
}

interface QuarantinedLog {
  id: bigint
  txid: string
  logIndex: number
  height: number
  reason: string
  log: unknown
  createdAt: Date
  resolvedAt: Date | null
  rejectedBy: string | null
  rejectedReason: string | null
}

async function readLog(db: Queryable, id: bigint): Promise<QuarantinedLog | null> {
  const [log] = await rows<QuarantinedLog>(
    db,
    `select q.id, q.txid, q.log_index as "logIndex", q.block_height as "height", q.reason, q.log,
            q.created_at as "createdAt", q.resolved_at as "resolvedAt", r.rejected_by as "rejectedBy",
            r.reason as "rejectedReason"
       from quarantine q
       left join rejection r on r.quarantine_id = q.id
      where q.id = $1 and q.transfer_id is null`,
    [id],
  )
  return log ?? null
}

async function showLog(page: Page, wrong?: Wrong): Promise<Answer> {
  const log = found(await readLog(page.context.reads, idOf(page)))
  const words = wordsFor(page)
  const { decide: said } = words
  const isRejected = log.rejectedBy !== null
  const state = isRejected ? 'rejected' : log.resolvedAt ? 'resolved' : 'quarantined'
  return {
    ...{ title: words.logTitle, status: wrong ? 400 : 200, problem: problemOf(wrong) },
    notice: words.done[page.query.text('done')],
    body: (
      <>
        <div class="title">
          <h1>{words.logTitle}</h1>
          <MoneyState page={page} state={state} />
        </div>
        <Section title={words.facts}>
          <Facts
            rows={[
              [words.why, log.reason],
              [words.txid, <CopyableId page={page} text={log.txid} />],
              [words.block, `${log.height}`],
              [words.since, <Time at={log.createdAt} />],
              [words.rejected, isRejected ? words.reasonBy(log.rejectedReason!, log.rejectedBy!) : '–'],
            ]}
          />
          <pre>{JSON.stringify(log.log, null, 2)}</pre>
        </Section>
        {state !== 'resolved' && (
          <Section title={said.title}>
            <p class="hint">{isRejected ? said.rejected : said.log}</p>
            <DecideForm
              {...{ page, wrong, form: 'decide', ask: said.ask }}
              action={href(page, `/money/logs/${log.id}/decide`)}
              buttons={isRejected ? [['reopen', said.reopen]] : [['reject', said.reject]]}
            />
          </Section>
        )}
      </>
    ),
  }
}

async function decideLog(page: Page): Promise<Answer> {
  const { id } = found(await readLog(page.context.reads, idOf(page)))
  const show = (wrong: Wrong) => showLog(page, wrong)
  const decision = decisionOf(page)
  if (!decision) return show(reasonMissing(page, 'decide'))
  const wanted = page.form.text('decision')
  if (wanted !== 'reject' && wanted !== 'reopen') return show(unknownDecision(page))
  const carryOut = wanted === 'reopen' ? reopenQuarantined : rejectQuarantined
  const decided = await carryOut(page.context.pool, await rulesOf(page), id, decision)
  return afterDecision(page, decided, { path: `/money/logs/${id}`, done: 'decided', form: 'decide', show })
}

async function showDiscrepancy(page: Page, wrong?: Wrong): Promise<Answer> {
  const one = found(await findDiscrepancy(page.context.reads, idOf(page)))
  const words = wordsFor(page)
  const { acknowledge: said } = words
  return {
    ...{ title: words.discrepancyTitle, status: wrong ? 400 : 200, problem: problemOf(wrong) },
    notice: words.done[page.query.text('done')],
    body: (
      <>
        <div class="title">
          <h1>{words.discrepancyTitle}</h1>
          <MoneyState page={page} state={one.resolvedAt ? 'resolved' : 'open'} />
        </div>
        <Section title={words.facts}>
          <Facts
            rows={[
              [words.kind, words.discrepancyKinds[one.kind] ?? one.kind],
              [words.subject, <CopyableId page={page} text={one.subject} />],
              [words.merchant, one.appid ?? '–'],
              [words.found, <Time at={one.foundAt} />],
              [words.seen, <Time at={one.lastSeenAt} />],
              [
                words.acknowledged,
                one.acknowledgedBy ? words.reasonBy(one.acknowledgedReason!, one.acknowledgedBy) : '–',
              ],
            ]}
          />
          <pre>{JSON.stringify(one.detail, null, 2)}</pre>
        </Section>
        {!one.resolvedAt && !one.acknowledgedAt && (
          <Section title={said.title}>
            <p class="hint">{said.hint}</p>
            <DecideForm
              {...{ page, wrong, form: 'acknowledge' }}
              action={href(page, `/money/discrepancies/${one.id}/acknowledge`)}
              buttons={[['acknowledge', said.submit]]}
            />
          </Section>
        )}
      </>
    ),
  }
}

async function acknowledge(page: Page): Promise<Answer> {
  const id = idOf(page)
  found(await findDiscrepancy(page.context.reads, id))
  const decision = decisionOf(page)
  if (!decision) return showDiscrepancy(page, reasonMissing(page, 'acknowledge'))
  const done = await acknowledgeDiscrepancy(page.context.pool, { id, ...decision })
  return {
    goTo: href(page, `/money/discrepancies/${id}`, { done: done === 'done' ? 'acknowledged' : 'already' }),
  }
}

/** @jsxRuntime automatic @jsxImportSource preact */
import { inTransaction } from '../../../db/pool.ts'
import { listPasskeys } from '../../../people/passkey-store.ts'
import { recoveryCodesLeft } from '../../../people/second-factor-store.ts'
import { hasFactor, recordOwn } from '../../../people/second-factors.ts'
import {
  endNamedSession,
  endSessionsOf,
  type ListedSession,
  sessionName,
  sessionsOf,
} from '../../../people/session-store.ts'
import { locales } from '../../shell/locale.ts'
import { commonWords } from '../parts/common-words.ts'
import { Choice } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Section, Table } from '../parts/list-parts.tsx'
import { consolePath, href, type Page, viewerOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { Time } from '../parts/value-parts.tsx'
import { accountWords } from './account-words.ts'
import { ownerOf } from './own-account.ts'
import { ownCodesRoutes } from './own-codes-routes.tsx'
import { ownPasskeyRoutes } from './own-passkey-routes.tsx'
import { ownPasswordRoutes } from './own-password-routes.tsx'

/** What each person changes of their own account. */
export const accountRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/account', who: 'signed in', handle: showAccount },
  { method: 'POST', path: '/account/sessions/:name/end', who: 'signed in', handle: endOne },
  { method: 'POST', path: '/account/sessions/end-others', who: 'signed in', handle: endOthers },
  ...ownPasswordRoutes,
  ...ownCodesRoutes,
  ...ownPasskeyRoutes,
]

async function showAccount(page: Page): Promise<Answer> {
  const { user, memberships, sessionId } = viewerOf(page)
  const { reads } = page.context
  const words = wordsOf(page, accountWords)
  const { roles, save } = commonWords(page)
  const [sessions, passkeys, left] = await Promise.all([
    sessionsOf(reads, user.id),
    listPasskeys(reads, user.id),
    recoveryCodesLeft(reads, user.id),
  ])
  const memberOf = [
    ...(user.admin ? [`${words.gateway} (${roles.admin})`] : []),
    ...memberships.map(({ merchantName, role }) => `${merchantName} (${roles[role]})`),
  ]
  const done = page.query.text('done')
  return {
    title: words.title,
    notice: Object.hasOwn(words.done, done) ? words.done[done as keyof typeof words.done] : undefined,
    body: (
      <>
        <div class="title">
          <h1>{words.title}</h1>
        </div>
        <div class="columns">
          <Section title={words.you}>
            <Facts
              rows={[
                [words.name, user.name],
                [words.email, user.email],
                [words.memberships, memberOf.map(line => <div key={line}>{line}</div>)],
              ]}
            />
            <Form page={page} action={`${consolePath}/language`} class="inline after">
              <Choice
                {...{ label: words.language, name: 'locale', value: page.locale }}
                options={locales.map(locale => [locale, words.languages[locale]])}
              />
              <Submit plain>{save}</Submit>
            </Form>
          </Section>
          <Section title={words.factors}>
            {hasFactor(user) ? (
              <Facts
                rows={[
                  [words.codes, user.hasTotp ? words.codesOn : words.codesOff],
                  [words.passkeys, passkeys.map(({ id, name }) => <div key={id}>{name}</div>)],
                  [words.recovery, words.recoveryLeft(left)],
                ]}
              />
            ) : (
              <p>{words.factorsNone}</p>
            )}
            <p class="actions after">
              {!user.hasTotp && (
                <a class="button" href={href(page, '/account/codes')}>
                  {words.codesSetUp}
                </a>
              )}
              <a class="button plain" href={href(page, '/account/passkeys/new')}>
                {words.passkeyAdd}
              </a>
              {hasFactor(user) && (
                <a class="button plain" href={href(page, '/account/factors')}>
                  {words.factorsChange}
                </a>
              )}
            </p>
          </Section>
          <Section title={words.password}>
            <a class="button plain" href={href(page, '/account/password')}>
              {words.change}
            </a>
          </Section>
        </div>
        <Section title={words.sessions}>
          <p>{words.sessionsText}</p>
          {sessions.length > 1 && (
            <Form page={page} action={href(page, '/account/sessions/end-others')} class="after">
              <Submit plain>{words.endOthers}</Submit>
            </Form>
          )}
          <Sessions page={page} sessions={sessions} own={sessionName(sessionId)} />
        </Section>
      </>
    ),
  }
}

function Sessions({ page, sessions, own }: { page: Page; sessions: ListedSession[]; own: string }) {
  const words = wordsOf(page, accountWords)
  return (
    <Table
      {...{ caption: words.sessions, rows: sessions, empty: words.sessionsText }}
      columns={[
        { head: words.browser, cell: ({ userAgent }) => browserOf(userAgent) || words.unknownBrowser },
        { head: words.address, cell: ({ address }) => <span class="mono">{address}</span> },
        { head: words.since, cell: ({ createdAt }) => <Time at={createdAt} /> },
        { head: words.lastSeen, cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
        {
          head: '',
          cell: ({ name }) =>
            name === own ? (
              words.thisOne
            ) : (
              <Form page={page} action={href(page, `/account/sessions/${name}/end`)} class="bare">
                <Submit plain>{words.end}</Submit>
              </Form>
            ),
        },
      ]}
    />
  )
}

/** What a browser says of itself, as people know it: `Firefox 140, Linux`. '' when it says nothing that we know. */
function browserOf(userAgent: string): string {
  const browser =
    /(Edg|OPR|Firefox|Chrome)\/(\d{1,4})/.exec(userAgent) ??
    /(?:Version)\/(\d{1,4}).*(Safari)/.exec(userAgent)
  const system = /Android|iPhone|iPad|Windows|Mac OS X|Linux/.exec(userAgent)?.[0]
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' }
  const [, first, second] = browser ?? []
  const name =
    first && second === 'Safari' ? `Safari ${first}` : first && `${names[first] ?? first} ${second}`
  return [name, system].filter(Boolean).join(', ') || userAgent.slice(0, 60)
}

async function endOne(page: Page): Promise<Answer> {
  const owner = ownerOf(page)
  const { name } = page.params
  // Ending one's own is signing out; there is a button for that.
  const ended =
    name !== sessionName(owner.sessionId) &&
    (await end(page, tx => endNamedSession(tx, owner.user.id, name!)))
  return { goTo: href(page, '/account', { done: ended ? 'ended' : null }) }
}

async function endOthers(page: Page): Promise<Answer> {
  const owner = ownerOf(page)
  await end(page, async tx => (await endSessionsOf(tx, owner.user.id, owner.sessionId)) > 0)
  return { goTo: href(page, '/account', { done: 'others' }) }
}

async function end(page: Page, work: Parameters<typeof inTransaction<boolean>>[1]): Promise<boolean> {
  return inTransaction(page.context.pool, async tx => {
    const ended = await work(tx)
    if (ended) await recordOwn(tx, ownerOf(page), 'person.sessions_ended')
    return ended
  })
}

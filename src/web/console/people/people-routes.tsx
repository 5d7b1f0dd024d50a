/** @jsxRuntime automatic @jsxImportSource preact */
import { type OpenInvitation, openInvitations } from '../../../people/invitation-store.ts'
import type { Role } from '../../../people/permission.ts'
import { listAdmins, membersOf, type User } from '../../../people/user-store.ts'
import { commonWords } from '../parts/common-words.ts'
import { Section, Table } from '../parts/list-parts.tsx'
import { href, type Page, scopeOf, viewerOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { State, Time } from '../parts/value-parts.tsx'
import { factorsText } from './factors-text.ts'
import { invitationRoutes } from './invitation-routes.tsx'
import { memberRoutes } from './member-routes.tsx'
import { peopleWords } from './people-words.ts'

/** The people of a merchant; where an admin has chosen none, the gateway's admins. */
export const peopleRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/people', who: 'people', handle: showPeople },
  // Before the routes of one person: `new` and `invitations` are no ids.
  ...invitationRoutes,
  ...memberRoutes,
]

type Listed = User & { role?: Role; lastSeenAt: Date | null }

async function showPeople(page: Page): Promise<Answer> {
  const { reads } = page.context
  const words = wordsOf(page, peopleWords)
  const merchantId = scopeOf(page)
  const [people, links]: [Listed[], OpenInvitation[]] = await Promise.all([
    merchantId === null ? listAdmins(reads) : membersOf(reads, merchantId),
    openInvitations(reads, merchantId),
  ])
  const title = merchantId === null ? words.admins : words.title
  const done = page.query.text('done')
  return {
    title,
    notice: Object.hasOwn(words.done, done) ? words.done[done as keyof typeof words.done] : undefined,
    body: (
      <>
        <div class="title">
          <h1>{title}</h1>
          <a class="button" href={href(page, '/people/new')}>
            {merchantId === null ? words.inviteAdmin : words.invite}
          </a>
        </div>
        <p class="before">{merchantId === null ? words.adminsText : words.text}</p>
        <People {...{ page, people, title }} />
        {links.length > 0 && (
          <Section title={words.invitations}>
            <Links {...{ page, links }} />
          </Section>
        )}
      </>
    ),
  }
}

function People({ page, people, title }: { page: Page; people: readonly Listed[]; title: string }) {
  const words = wordsOf(page, peopleWords)
  const { roles } = commonWords(page)
  const own = viewerOf(page).user.id
  return (
    <Table
      {...{ caption: title, rows: people, empty: words.nobody }}
      columns={[
        {
          head: words.email,
          cell: ({ id, email }) => (
            <span>
              <a href={href(page, `/people/${id}`)}>{email}</a>
              {id === own && <span class="quiet"> ({words.you})</span>}
            </span>
          ),
        },
        { head: words.name, cell: ({ name }) => name },
        { head: words.role, cell: ({ role }) => roles[role ?? 'admin'] },
        { head: words.factors, cell: user => factorsText(page, user) },
        { head: words.lastSeen, cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
        {
          head: words.state,
          cell: ({ disabledAt }) => (
            <State tone={disabledAt ? 'red' : 'green'}>
              {disabledAt ? words.states.disabled : words.states.active}
            </State>
          ),
        },
      ]}
    />
  )
}

function Links({ page, links }: { page: Page; links: readonly OpenInvitation[] }) {
  const words = wordsOf(page, peopleWords)
  const { roles } = commonWords(page)
  return (
    <Table
      {...{ caption: words.invitations, rows: links, empty: words.nobody }}
      columns={[
        {
          head: words.email,
          cell: ({ id, email }) => <a href={href(page, `/people/invitations/${id}`)}>{email}</a>,
        },
        { head: words.role, cell: ({ role }) => roles[role ?? 'admin'] },
        { head: words.invitedBy, cell: ({ createdBy }) => createdBy },
        { head: words.until, cell: ({ expiresAt }) => <Time at={expiresAt} /> },
        {
          head: words.state,
          cell: ({ expiresAt }) =>
            expiresAt > page.now ? (
              <State tone="amber">{words.states.invited}</State>
            ) : (
              <State tone="grey">{words.states.late}</State>
            ),
        },
      ]}
    />
  )
}

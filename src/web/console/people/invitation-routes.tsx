/** @jsxRuntime automatic @jsxImportSource preact */
import { GatewayError } from '../../../base/errors.ts'
import { invitationPath, openInvitations } from '../../../people/invitation-store.ts'
import { invitePerson, withdraw } from '../../../people/invite-person.ts'
import type { Manager } from '../../../people/manager.ts'
import { type Role, roles } from '../../../people/permission.ts'
import { readEmail } from '../../../people/user-store.ts'
import { commonWords } from '../parts/common-words.ts'
import { Choice, Field } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts } from '../parts/list-parts.tsx'
import { authorOfPage, href, type Page, scopeOf, viewerOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute, ShownPage } from '../parts/route.ts'
import { Time } from '../parts/value-parts.tsx'
import { gonePage } from './gone-page.tsx'
import { peopleWords } from './people-words.ts'

const who = { who: 'people', confirm: true } as const

export const invitationRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/people/new', ...who, handle: async page => showInvite(page) },
  { method: 'POST', path: '/people/new', ...who, handle: invite },
  { method: 'GET', path: '/people/invitations/:id', ...who, handle: showOpen },
  { method: 'POST', path: '/people/invitations/:id/withdraw', ...who, handle: withdrawOpen },
]

function showInvite(page: Page, error?: string): ShownPage {
  const words = wordsOf(page, peopleWords)
  const isOfAdmins = scopeOf(page) === null
  const title = isOfAdmins ? words.inviteAdmin : words.invite
  return {
    ...{ title, status: error ? 400 : 200 },
    body: (
      <section class="card">
        <h1>{title}</h1>
        <p>{words.inviteText}</p>
        <Form page={page} action={href(page, '/people/new')}>
          <Field
            {...{ label: words.email, name: 'email', type: 'email', required: true, error }}
            value={page.form.text('email')}
            autofocus
          />
          {!isOfAdmins && <RoleChoice page={page} value={page.form.text('role') || 'support'} />}
          <Submit>{words.linkAgain}</Submit>
        </Form>
      </section>
    ),
  }
}

/** A choice of roles, each with what it may. */
export function RoleChoice({ page, value }: { page: Page; value: string }) {
  const words = wordsOf(page, peopleWords)
  const names = commonWords(page).roles
  return (
    <Choice
      {...{ label: words.role, name: 'role', value }}
      options={roles.map(role => [role, `${names[role]}: ${words.roleHints[role]}`])}
    />
  )
}

/** The viewer, as who changes what others may. */
export function managerOf(page: Page): Manager {
  return { userId: viewerOf(page).user.id, ...authorOfPage(page) }
}

/** Reads a form's role. */
export function readRole(page: Page): Role {
  const role = roles.find(one => one === page.form.text('role'))
  if (!role) throw new GatewayError('bad_parameter', 'role: one of the list')
  return role
}

async function invite(page: Page): Promise<Answer> {
  const { pool } = page.context
  const words = wordsOf(page, peopleWords)
  const email = readEmail(page.form.text('email'))
  if (!email) return showInvite(page, words.emailWrong)
  const { merchant } = page
  const to =
    merchant === null
      ? ({ admin: true } as const)
      : { merchantId: merchant.id, appid: merchant.appid, role: readRole(page) }
  const { token } = await invitePerson(pool, email, to, managerOf(page))
  if (token === null) return showInvite(page, words.emailKnown)
  return shownLink(page, email, token)
}

/** A link, in the answer to the form that made it and nowhere else. */
export function shownLink(page: Page, email: string, token: string): Answer {
  const words = wordsOf(page, peopleWords)
  const { copy, copied, back } = commonWords(page)
  const link = page.context.publicUrl() + invitationPath(token)
  return {
    title: words.linkTitle,
    body: (
      <section class="card">
        <h1>{words.linkTitle}</h1>
        <p>{words.linkText(email)}</p>
        <p class="secret mono id">{link}</p>
        <p class="actions after">
          <button type="button" class="button plain needs-script" data-copy={link} data-copied={copied}>
            {copy}
          </button>
          <a class="button plain" href={href(page, '/people')}>
            {back}
          </a>
        </p>
        <p class="quiet after">{words.linkOld}</p>
      </section>
    ),
  }
}

async function showOpen(page: Page): Promise<Answer> {
  const words = wordsOf(page, peopleWords)
  const names = commonWords(page).roles
  const links = await openInvitations(page.context.reads, scopeOf(page))
  const link = links.find(({ id }) => id === page.params.id)
  if (!link) return gonePage(page)
  const { id, email, role } = link
  return {
    title: email,
    body: (
      <section class="card">
        <h1>{email}</h1>
        <Facts
          rows={[
            [words.role, names[role ?? 'admin']],
            [words.invitedBy, link.createdBy],
            [words.until, <Time at={link.expiresAt} key="until" />],
          ]}
        />
        <div class="actions after">
          <Form page={page} action={href(page, '/people/new')} class="bare">
            <input type="hidden" name="email" value={email} />
            {role && <input type="hidden" name="role" value={role} />}
            <Submit>{words.linkAgain}</Submit>
          </Form>
          <Form page={page} action={href(page, `/people/invitations/${id}/withdraw`)} class="bare">
            <Submit plain>{words.withdraw}</Submit>
          </Form>
        </div>
      </section>
    ),
  }
}

async function withdrawOpen(page: Page): Promise<Answer> {
  const by = authorOfPage(page)
  if (!(await withdraw(page.context.pool, scopeOf(page), page.params.id!, by))) return gonePage(page)
  return { goTo: href(page, '/people', { done: 'withdrawn' }) }
}

/** @jsxRuntime automatic @jsxImportSource preact */
import type { UserId } from '../../../base/ids.ts'
import { changeMember, type MemberChange, removeAdmin } from '../../../people/change-member.ts'
import { disablePerson, isOnlyOf, makeNewLink } from '../../../people/invite-person.ts'
import type { Role } from '../../../people/permission.ts'
import { membershipsOf, type User, userById } from '../../../people/user-store.ts'
import { commonWords } from '../parts/common-words.ts'
import { Tick } from '../parts/field-parts.tsx'
import { Form, Submit } from '../parts/form-parts.tsx'
import { Facts, Section } from '../parts/list-parts.tsx'
import { href, merchantOf, type Page, viewerOf, wordsOf } from '../parts/page.ts'
import type { Answer, ConsoleRoute } from '../parts/route.ts'
import { factorsText } from './factors-text.ts'
import { gonePage } from './gone-page.tsx'
import { managerOf, RoleChoice, readRole, shownLink } from './invitation-routes.tsx'
import { peopleWords } from './people-words.ts'

const who = { who: 'people', confirm: true } as const

export const memberRoutes: readonly ConsoleRoute[] = [
  { method: 'GET', path: '/people/:user', ...who, handle: async page => showMember(page) },
  { method: 'POST', path: '/people/:user/role', ...who, handle: changeRole },
  { method: 'POST', path: '/people/:user/remove', ...who, handle: remove },
  { method: 'POST', path: '/people/:user/link', ...who, handle: makeLink },
  { method: 'POST', path: '/people/:user/disable', who: 'admin', confirm: true, handle: disable(true) },
  { method: 'POST', path: '/people/:user/enable', who: 'admin', confirm: true, handle: disable(false) },
]

interface Shown {
  user: User
  /** null: the page is about the gateway's admins. */
  role: Role | null
  /** A link for them opens nothing else. */
  isOnlyHere: boolean
}

/** Reads the person of the address. @returns null: they are none of those that the page is about. */
async function readShown(page: Page): Promise<Shown | null> {
  const text = page.params.user!
  const user = /^\d{1,18}$/.test(text) ? await userById(page.context.pool, BigInt(text) as UserId) : null
  if (!user) return null
  const { merchant } = page
  if (!merchant) {
    if (!user.admin) return null
    return { user, role: null, isOnlyHere: false }
  }
  const memberships = await membershipsOf(page.context.pool, user.id)
  const membership = memberships.find(({ merchantId }) => merchantId === merchant.id)
  if (!membership) return null
  return { user, role: membership.role, isOnlyHere: isOnlyOf(user, memberships, merchant.id) }
}

async function showMember(page: Page, problem?: string): Promise<Answer> {
  const words = wordsOf(page, peopleWords)
  const { roles } = commonWords(page)
  const shown = await readShown(page)
  if (!shown) return gonePage(page)
  const { user, role } = shown
  const isOwn = user.id === viewerOf(page).user.id
  return {
    ...{ title: user.email, problem, status: problem ? 400 : 200 },
    body: (
      <>
        <div class="title">
          <h1>{user.name || user.email}</h1>
        </div>
        <div class="columns">
          <Section title={words.person}>
            <Facts
              rows={[
                [words.email, user.email],
                [words.role, roles[role ?? 'admin']],
                [words.factors, factorsText(page, user)],
                [words.state, user.disabledAt ? words.states.disabled : words.states.active],
              ]}
            />
            {isOwn && <p class="after">{words.own}</p>}
          </Section>
          {!isOwn && <Changes page={page} shown={shown} />}
        </div>
      </>
    ),
  }
}

/** What can be done about somebody else. */
function Changes({ page, shown: { user, role, isOnlyHere } }: { page: Page; shown: Shown }) {
  const words = wordsOf(page, peopleWords)
  const isAdmin = page.role === 'admin'
  const path = `/people/${user.id}`
  return (
    <>
      <Section title={words.role}>
        {role && (
          <Form page={page} action={href(page, `${path}/role`)}>
            <RoleChoice page={page} value={role} />
            <Submit plain>{words.change}</Submit>
          </Form>
        )}
        <Form
          {...{
            page,
            action: href(page, `${path}/remove`),
            class: 'after',
            ask: words.removeAsk(user.email),
          }}
        >
          <Submit plain>{role ? words.remove : words.removeAdmin}</Submit>
        </Form>
      </Section>
      <Section title={words.newLink}>
        {isOnlyHere || isAdmin ? (
          <Form page={page} action={href(page, `${path}/link`)}>
            <p>{words.newLinkText}</p>
            <Tick label={words.newLinkFactors} name="factors" checked={false} />
            <Submit plain>{words.newLinkMake}</Submit>
          </Form>
        ) : (
          <p>{words.newLinkElsewhere}</p>
        )}
      </Section>
      {isAdmin && (
        <Section title={user.disabledAt ? words.enable : words.disable}>
          <Form page={page} action={href(page, `${path}/${user.disabledAt ? 'enable' : 'disable'}`)}>
            {!user.disabledAt && <p>{words.disableText}</p>}
            <Submit plain>{user.disabledAt ? words.enable : words.disable}</Submit>
          </Form>
        </Section>
      )}
    </>
  )
}

async function changeRole(page: Page): Promise<Answer> {
  const shown = await readShown(page)
  if (!shown) return gonePage(page)
  const { pool } = page.context
  const merchant = merchantOf(page)
  const wanted = { userId: shown.user.id, merchant, role: readRole(page) }
  const change = await changeMember(pool, managerOf(page), wanted)
  return changed(page, change, 'role')
}

async function remove(page: Page): Promise<Answer> {
  const shown = await readShown(page)
  if (!shown) return gonePage(page)
  const { user } = shown
  const { pool } = page.context
  const { merchant } = page
  const by = managerOf(page)
  const change = merchant
    ? await changeMember(pool, by, { userId: user.id, merchant, role: null })
    : await removeAdmin(pool, by, user.id)
  return changed(page, change, 'removed')
}

async function changed(page: Page, change: MemberChange, done: string): Promise<Answer> {
  const words = wordsOf(page, peopleWords)
  if (change === 'unknown') return gonePage(page)
  if (change !== 'done') return showMember(page, words[change])
  return { goTo: href(page, '/people', { done }) }
}

async function makeLink(page: Page): Promise<Answer> {
  const shown = await readShown(page)
  if (!shown) return gonePage(page)
  const { user, isOnlyHere } = shown
  const words = wordsOf(page, peopleWords)
  if (user.id === viewerOf(page).user.id) return showMember(page, words.own)
  const isAdmin = page.role === 'admin'
  if (!isOnlyHere && !isAdmin) return showMember(page, words.newLinkElsewhere)
  const token = await makeNewLink(page.context.pool, user, {
    ...managerOf(page),
    factors: page.form.has('factors'),
    ...(!isAdmin && { onlyOf: merchantOf(page).id }),
  })
  return shownLink(page, user.email, token)
}

function disable(disabled: boolean) {
  return async (page: Page): Promise<Answer> => {
    const shown = await readShown(page)
    if (!shown) return gonePage(page)
    const { user } = shown
    if (user.id === viewerOf(page).user.id) return showMember(page, wordsOf(page, peopleWords).own)
    await disablePerson(page.context.pool, user, disabled, managerOf(page))
    return { goTo: href(page, '/people', { done: disabled ? 'disabled' : 'enabled' }) }
  }
}

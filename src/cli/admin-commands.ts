import type { Command } from 'commander'
import type { Config } from '../base/config.ts'
import { UsageError } from '../base/errors.ts'
import type { Pool } from '../db/pool.ts'
import { invitationHours, invitationPath, openInvitations } from '../people/invitation-store.ts'
import { disablePerson, invitePerson, makeNewLink } from '../people/invite-person.ts'
import { listAdmins, readEmail, type User, userByEmail } from '../people/user-store.ts'
import { type AuthorOptions, addAuthor, authorFrom } from './operator.ts'
import { printTable } from './print-table.ts'
import { withDatabase } from './with-database.ts'

/** The commands about the people who may use the console. */
export function addAdminCommands(program: Command): void {
  const admin = program
    .command('admin')
    .description('people who administer the gateway in the console: add, list, link, disable, enable')

  addAuthor(admin.command('add'))
    .description(
      'make somebody an admin, once they open the link that it prints; it counts once and for a day',
    )
    .argument('<email>', 'the mail address to sign in with')
    .action(async (email: string, options: AuthorOptions) => {
      const author = authorFrom(options)
      await withDatabase('command', async (pool, config) => {
        const { token } = await invitePerson(pool, emailOf(email), { admin: true }, author)
        if (token) printLink(config, token)
        else console.log(`${emailOf(email)} is an admin already`)
      })
    })

  addAuthor(admin.command('link'))
    .description('make a new link for somebody who cannot sign in any more; all sessions of theirs end')
    .argument('<email>', 'an admin, or anybody who uses the console')
    .option('--lost-factor', 'the second factors are lost too: remove them')
    .action(async (email: string, options: AuthorOptions & { lostFactor?: true }) => {
      const author = authorFrom(options)
      await withDatabase('command', async (pool, config) => {
        const user = await userNamed(pool, email)
        printLink(config, await makeNewLink(pool, user, { ...author, factors: options.lostFactor === true }))
      })
    })

  for (const name of ['disable', 'enable'] as const) {
    addAuthor(admin.command(name))
      .description(
        name === 'disable' ? 'keep somebody from signing in, at once' : 'let somebody sign in again',
      )
      .argument('<email>', 'an admin, or anybody who uses the console')
      .action(async (email: string, options: AuthorOptions) => {
        const author = authorFrom(options)
        await withDatabase('command', async pool => {
          const user = await userNamed(pool, email)
          await disablePerson(pool, user, name === 'disable', author)
          console.log(`${user.email} is ${name}d`)
        })
      })
  }

  admin
    .command('list')
    .description('list the admins')
    .action(() =>
      withDatabase('command', async pool => {
        const [admins, links] = [await listAdmins(pool), await openInvitations(pool, null)]
        if (admins.length + links.length === 0) {
          console.log('no admin yet: gateway admin add EMAIL')
          return
        }
        printTable([
          ...admins.map(one => ({
            email: one.email,
            name: one.name,
            second_factor: factorOf(one),
            state: one.disabledAt ? 'disabled' : 'active',
          })),
          ...links.map(({ email, expiresAt }) => ({
            ...{ email, name: '', second_factor: 'none' },
            state: expiresAt > new Date() ? 'invited' : 'invited, too late',
          })),
        ])
      }),
    )
}

function factorOf(user: User): string {
  return (
    [user.hasTotp && 'one-time codes', user.passkeys > 0 && 'passkey'].filter(Boolean).join(', ') || 'none'
  )
}

function emailOf(text: string): string {
  const email = readEmail(text)
  if (!email) throw new UsageError('<email>: a mail address such as ada@example.com')
  return email
}

async function userNamed(pool: Pool, text: string): Promise<User> {
  const user = await userByEmail(pool, emailOf(text))
  if (!user) throw new UsageError(`nobody uses the console as ${emailOf(text)}`)
  return user
}

/** The link stands alone on its line, so that it can be cut out. */
function printLink(config: Config, token: string): void {
  console.log(`Open this within ${invitationHours} hours; it counts once:`)
  console.log(consoleUrlOf(config) + invitationPath(token))
}

/** Where people reach the console, as the api's settings say. */
export function consoleUrlOf(config: Config): string {
  const { consoleUrl, consolePort, consoleHost, publicUrl, port } = config
  if (consoleUrl) return consoleUrl
  if (consolePort !== undefined) return `http://${consoleHost}:${consolePort}`
  return publicUrl ?? `http://localhost:${port}`
}

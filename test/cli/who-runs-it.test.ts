import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { type TestContext, test } from 'node:test'
import { Command } from 'commander'
import type { MerchantId } from '../../src/base/ids.ts'
import { rows } from '../../src/db/pool.ts'
import { commandInProcess } from '../support/command-in-process.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedCallback } from '../support/seed-callback.ts'
import { merchantWith } from '../support/seed-merchant.ts'

/** All commands of the folder. Those of `merchant key` and `merchant secret` come with `merchant`. */
const folder = new URL('../../src/cli/', import.meta.url)
const groups: ((program: Command) => void)[] = []
for (const file of readdirSync(folder).filter(
  name => /-commands?\.ts$/.test(name) && !name.startsWith('rotation'),
)) {
  const module = await import(new URL(file, folder).href)
  groups.push(...Object.keys(module).flatMap(name => (/^add\w+Commands?$/.test(name) ? [module[name]] : [])))
}

/** Those that change nothing of the gateway's, by hand. `reconcile` notes what it finds; the demo and the sandbox have their own. */
const readOnly = [
  ...[
    'address export',
    'admin list',
    'audit',
    'callbacks list',
    'contract list',
    'demo',
    'discrepancies list',
    'marks list',
    'unclaimed list',
    'doctor',
    'held list',
  ],
  ...['merchant key list', 'merchant list', 'merchant secret list', 'quarantine list', 'reconcile'],
  ...['sandbox', 'sign', 'start', 'status'],
]

test('every command that changes something takes who runs it and why, and --by as before', () => {
  const program = new Command()
  for (const add of groups) add(program)
  const without: string[] = []
  for (const { path, command } of leaves(program, [])) {
    const flags = command.options.map(({ long }) => long)
    if (['--as', '--by', '--reason'].every(flag => flags.includes(flag))) continue
    assert(!flags.includes('--as') && !flags.includes('--by'), path)
    without.push(path)
  }
  assert(groups.length > 15)
  assert.deepEqual(
    without.filter(path => !path.startsWith('export ') && !path.startsWith('sandbox ')).sort(),
    readOnly.sort(),
  )
})

function leaves(command: Command, path: string[]): { path: string; command: Command }[] {
  const subs = command.commands
  if (subs.length === 0) return [{ path: path.join(' '), command }]
  return subs.flatMap(sub => leaves(sub, [...path, sub.name()]))
}

const { pool, url } = await cloneDatabase()
process.env.DATABASE_URL = url
process.env.MASTER_KEY = '22'.repeat(32)
const xpub =
  'xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd'

function gateway(t: TestContext, ...args: string[]): Promise<string> {
  return commandInProcess(t, program => groups.map(add => add(program)), ...args)
}

interface Recorded {
  actor: string
  action: string
  reason: string | null
  appid: string | null
}

async function lastEvents(count: number): Promise<Recorded[]> {
  const found = await rows<Recorded>(
    pool,
    `select actor, action, reason, appid from report.audit_events order by audit_event_id desc limit $1`,
    [count],
  )
  return found.reverse()
}

test("each of a merchant's changes is recorded with who made it, why, and the merchant", async t => {
  const made = await gateway(
    t,
    ...['merchant', 'add', '--name', 'shop', '--xpub', xpub, '--callback-url', 'https://shop.example/cb'],
    ...['--json', '--as', 'carol'],
  )
  const { appid } = JSON.parse(made)
  const [merchant] = await rows<{ id: MerchantId }>(pool, `select id from merchant`)
  await seedCallback(pool, {
    merchant: merchantWith({ id: merchant!.id, callbackUrl: 'https://shop.example/cb' }),
  })
  const run = async (action: string, ...args: string[]) => {
    await gateway(t, ...args, '--as', 'carol', '--reason', `for ${action}`)
    const [event] = await lastEvents(1)
    assert.deepEqual(event, { actor: 'command line carol', action, reason: `for ${action}`, appid })
  }
  const [added] = await lastEvents(1)
  assert.deepEqual(added, { actor: 'command line carol', action: 'merchant.added', reason: null, appid })
  await run('merchant.set', 'merchant', 'set', appid, '--always-200', 'yes')
  await run('merchant.page_set', 'merchant', 'set', appid, '--display-name', 'My shop')
  await run('merchant.renamed', 'merchant', 'rename', appid, 'other')
  await run('merchant.disabled', 'merchant', 'disable', appid)
  await run('merchant.enabled', 'merchant', 'enable', appid)
  await run('merchant.key_added', 'merchant', 'key', 'add', appid)
  const keys = JSON.parse(await gateway(t, 'merchant', 'key', 'list', appid, '--json'))
  const other = keys.find(({ state }: { state: string }) => state !== 'signs callbacks')
  const first = keys.find(({ id }: { id: string }) => id !== other.id)
  await run('merchant.key_promoted', 'merchant', 'key', 'promote', appid, other.id)
  await run('merchant.key_retired', 'merchant', 'key', 'retire', appid, first.id)
  await run('merchant.secret_added', 'merchant', 'secret', 'add', appid)
  const [secret] = JSON.parse(await gateway(t, 'merchant', 'secret', 'list', appid, '--json'))
  await run('merchant.secret_retired', 'merchant', 'secret', 'retire', appid, secret.id)
  const imported = ['--appid', appid, '--localusermark', 'u1', 'TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH']
  await run('address.imported', 'address', 'import', ...imported)
  await run('callbacks.resent', 'callbacks', 'resend', '--appid', appid, '--state', 'due')
})

test('what concerns no merchant is recorded with who did it, too; without a name it is the user of the system', async t => {
  await gateway(t, 'reseal', '--by', 'dave', '--reason', 'the new release')
  await gateway(t, 'restored', '--skip', '3')
  const us = `command line ${userInfo().username}@${hostname()}`
  const events = await rows<Recorded>(
    pool,
    `select actor, action, reason, appid from report.audit_events
      where action in ('secrets.sealing_set', 'addresses.skipped', 'callbacks.epochs_skipped') order by audit_event_id`,
  )
  assert.deepEqual(
    events.map(({ actor, action, reason, appid }) => [actor, action, reason, appid]),
    [
      ['command line dave', 'secrets.sealing_set', 'the new release', null],
      [us, 'addresses.skipped', null, null],
      [us, 'callbacks.epochs_skipped', null, null],
    ],
  )
})

test('a name or a reason that is not one line of text is refused before anything is done', async t => {
  for (const wrong of [
    ['--as', ''],
    ['--as', 'a\nb'],
    ['--by', '\0'],
    ['--reason', 'x'.repeat(501)],
  ]) {
    await assert.rejects(
      gateway(t, 'merchant', 'rename', 'nobody', 'other', ...wrong),
      new RegExp(`${wrong[0]}: 1 to \\d+ characters on one line`),
    )
  }
})

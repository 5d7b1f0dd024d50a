import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { recordAudit } from '../../src/db/audit-store.ts'
import { inTransaction } from '../../src/db/pool.ts'
import { asReportRole } from '../audit/as-report-role.ts'
import { auditedDatabase } from '../audit/audited-database.ts'
import { testXpub } from '../support/api-under-test.ts'
import { gatewayProgram } from '../support/gateway-program.ts'

// Every query and every command of docs/accounting.md, as they stand there.
const page = await readFile(new URL('../../docs/accounting.md', import.meta.url), 'utf8')
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^ *\`\`\`${language}\\n(.*?)^ *\`\`\`$`, 'gms'))].map(([, text]) => text!)
const database = await auditedDatabase()
const { pool } = database
const url = pool.options.connectionString!
await pool.query('update address_counter set xpub = $1', [testXpub])

/** Runs the gateway. @returns standard output and the exit code. */
async function gateway(args: readonly string[], env: Record<string, string> = {}) {
  const [node, ...program] = gatewayProgram
  const child = spawn(node, [...program, ...args], {
    env: { PATH: process.env.PATH, DATABASE_URL: url, ...env },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', chunk => (out += chunk))
  child.stderr.on('data', chunk => (err += chunk))
  const status = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { status, out, err }
}

/** Reads CSV as RFC 4180 has it, by a reader of its own. */
function readCsv(text: string): Record<string, string>[] {
  const records: string[][] = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    if (quoted === undefined && plain === '' && end === '') break
    records.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain!)
    if (end === '\r\n') records.push([])
  }
  const [names, ...rows] = records.filter(record => record.length > 0)
  return rows.map(row => Object.fromEntries(names!.map((name, i) => [name, row[i]!])))
}

/** The month that everything of the database is in. */
const wide = ['--from', '2000-01-01', '--to', '2100-01-01']

test('every query of the page runs as the role of admins', async () => {
  const queries = blocks('sql')
  assert(queries.length >= 7)
  for (const query of queries) {
    const used = query.replaceAll(`:'address'`, `'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t'`)
    await asReportRole(pool, used)
  }
})

test('every command of the page runs, but for the one that asks a node', async () => {
  const commands = blocks('sh').flatMap(text => text.trim().split('\n'))
  assert(commands.length >= 6)
  for (const command of commands.filter(command => !command.includes('--balance'))) {
    const args = command
      .replace(/ > .*$/, '')
      .split(' ')
      .slice(1)
    const { status, out, err } = await gateway(args)
    assert.equal(status, 0, `${command}: ${err}`)
    assert.notEqual(out, '')
  }
})

test('exports have every row once, with the times of the zone, and one merchant alone when asked', async () => {
  const { out } = await gateway(['export', 'transfers', ...wide, '--zone', 'Asia/Shanghai'])
  const rows = readCsv(out)
  const { rows: wanted } = await pool.query(
    `select txid, log_index::text, amount_usdt::text, state, to_char(block_time at time zone 'UTC' + interval '8 hours', 'YYYY-MM-DD HH24:MI:SS') as paid
       from report.transfers
      order by block_time, transfer_id`,
  )
  assert.deepEqual(
    rows.map(row => ({
      ...{ txid: row.txid, log_index: row.log_index, amount_usdt: row.amount_usdt, state: row.state },
      paid: row.paid_local,
    })),
    wanted,
  )
  for (const [what, view] of [
    ['orders', 'orders'],
    ['callbacks', 'callbacks'],
  ] as const) {
    const all = readCsv((await gateway(['export', what, ...wide])).out)
    const one = readCsv((await gateway(['export', what, ...wide, '--merchant', 'Other0therOther1'])).out)
    const { rows: counts } = await pool.query(
      `select count(*)::integer as all, (count(*) filter (where appid = 'Other0therOther1'))::integer as one from report.${view}`,
    )
    assert.deepEqual({ all: all.length, one: one.length }, counts[0])
    assert(one.length > 0)
  }
})

test('audit events are exported with who, why, and the place in the chain', async () => {
  const { rows: shops } = await pool.query(`select id from merchant where appid = 'Other0therOther1'`)
  const event = { actor: 'command line alice', action: 'merchant.set', subject: 'merchant Other0therOther1' }
  const why = { reason: 'asked for, "today"', detail: { always200: true }, merchantId: shops[0].id }
  await inTransaction(pool, tx => recordAudit(tx, { ...event, ...why }))
  const all = readCsv((await gateway(['export', 'audit', ...wide])).out)
  assert.deepEqual(
    all.map(({ action, chain_position }) => [action, chain_position]),
    [
      ['audit.began', '1'],
      ['merchant.set', '2'],
    ],
  )
  const one = readCsv((await gateway(['export', 'audit', ...wide, '--merchant', 'Other0therOther1'])).out)
  assert.deepEqual(one, all.slice(1))
  const { actor, subject, reason, detail, address, hash } = one[0]!
  assert.deepEqual(
    { actor, subject, reason },
    { actor: event.actor, subject: event.subject, reason: why.reason },
  )
  assert.deepEqual([JSON.parse(detail!), address], [why.detail, ''])
  assert.match(hash!, /^[0-9a-f]{64}$/)
})

test('a day is the zone’s own: the first moment is in it, the last is not', async () => {
  const { rows } = await pool.query(
    `select id, (created_at at time zone 'Asia/Shanghai')::date::text as day,
            ((created_at at time zone 'Asia/Shanghai')::date + 1)::text as next
       from recharge_order
      order by created_at
      limit 1`,
  )
  const [{ id, day, next }] = rows
  const count = async (from: string, to: string) => {
    const { out, status, err } = await gateway([
      ...['export', 'orders', '--from', from, '--to', to, '--zone', 'Asia/Shanghai'],
    ])
    assert.equal(status, 0, err)
    return readCsv(out).filter(({ ordersn }) => ordersn === `probe`).length
  }
  await pool.query(
    `update recharge_order set ordersn = 'probe', created_at = $2::timestamp at time zone 'Asia/Shanghai' where id = $1`,
    [id, day],
  )
  assert.equal(await count(day, next), 1)
  await pool.query(
    `update recharge_order set created_at = $2::timestamp at time zone 'Asia/Shanghai' where id = $1`,
    [id, next],
  )
  assert.equal(await count(day, next), 0)
})

test('what a spreadsheet would run is escaped, and every text comes back as it was', async () => {
  const name = '=HYPERLINK("http://evil.example","a,b")\r\nnext'
  await pool.query(`update recharge_order set username = $1 where orderid = 'o-2'`, [name])
  const rows = readCsv((await gateway(['export', 'orders', ...wide, '--bom'])).out.replace(/^\ufeff/, ''))
  assert.equal(rows.find(({ orderid }) => orderid === 'o-2')!.username, `'${name}`)
})

for (const [what, args, said] of [
  ['an unknown zone', ['--zone', 'Moon/Base'], /--zone: the name of a time zone/],
  ['an offset in place of a zone', ['--zone', '+08'], /--zone: the name of a time zone/],
  ['an unknown merchant', ['--merchant', 'nobody'], /no merchant has the appid/],
  ['a period that ends before it begins', ['--to', '1999-01-01'], /--from: must be before --to/],
  ['a day that there is not', ['--from', '2026-02-30'], /--from: a time such as/],
] as const) {
  test(`${what} is refused`, async () => {
    const { status, err, out } = await gateway(['export', 'transfers', ...wide, ...args])
    assert.equal(status, 2)
    assert.match(err, said)
    assert.equal(out, '')
  })
}

test('an export is stopped by whoever reads it without an error', async () => {
  const [node, ...program] = gatewayProgram
  const child = spawn('sh', ['-c', `"$@" | head -n 1`, 'sh', node, ...program, 'export', 'orders', ...wide], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', chunk => (out += chunk))
  child.stderr.on('data', chunk => (err += chunk))
  await new Promise(resolve => child.once('close', resolve))
  assert.match(out, /^created_local,/)
  assert.equal(err, '')
})

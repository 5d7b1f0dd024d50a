import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { errorCodes } from '../../src/base/errors.ts'
import { legacy, parseUsdt, type UsdtUnits, usdt } from '../../src/base/money.ts'
import { settingOf } from '../../src/base/settings.ts'
import { pendingAnnouncement } from '../../src/callbacks/outbox/callback.ts'
import { retryIntervalsMs } from '../../src/callbacks/sending/retry-schedule.ts'
import { testLimits } from '../../src/callbacks/sending/test-callback-limits.ts'
import { webhookHeaders } from '../../src/callbacks/sending/webhook-signature.ts'
import { type AppOptions, merchantEndpoints } from '../../src/http/app.ts'
import { type SignatureScheme, signParameters } from '../../src/merchants/signature.ts'

// What the pages for merchants say is computed here again: a page must not go on saying what is no longer so.
const key = '3f9c1e7ab2d84455a0c6e1f27d90b8aa'
const secret = 'whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA='
const appid = 'VunTq7Zk2Lm9h1l8'
const pages = [
  'quickstart',
  'endpoints',
  'signatures',
  'callbacks',
  'amounts',
  'going-live',
  'moving',
  'tron',
  'payers-page',
  'limits',
  'quickstart-code',
].map(name => `${name}.md`)
// Described, not opened: no database is asked.
const endpoints = merchantEndpoints({ config: { callbackAllowedNetworks: [] as string[] } } as AppOptions)
const endpointNames = endpoints.map(endpoint => endpoint.name)

for (const folder of ['', 'zh-CN/']) {
  const page = (name: string) => readFile(new URL(`../../docs/${folder}${name}`, import.meta.url), 'utf8')

  test(`${folder}signatures.md: the signatures shown are right`, async () => {
    const text = await page('signatures.md')
    const order = {
      username: 'a123456',
      appid,
      localusermark: '1',
      address: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6',
      orderid: 'sh-1',
      amount: '100',
      notify_url: 'https://shop.example/cb?a=1&b=two words',
    }
    for (const [name, value] of Object.entries(order)) {
      assert.match(text, new RegExp(`^ +${name} +${value.replace(/[?+.]/g, '\\$&')}$`, 'm'))
    }
    const shown = (scheme: SignatureScheme, endpoint: string, parameters: Record<string, string>) => {
      const sign = signParameters(scheme, endpoint, parameters, key)
      assert.match(text, new RegExp(sign, 'i'), `${scheme} ${endpoint}`)
    }
    shown('hmac-sha256', 'TraderRechargeorder', order)
    shown('hmac-sha256', 'newAddress', { appid, localusermark: '1', username: 'a123456' })
    shown('sha1', 'newAddress', { appid, localusermark: '1', username: 'a123456' })
    assert.ok(text.includes(key) && text.includes(secret))
  })

  const noPhp = spawnSync('php', ['-v']).status !== 0
  test(`${folder}signatures.md: the PHP shown signs every vector`, { skip: noPhp }, async () => {
    const [, code] = /^```php\n(.*?)^```$/ms.exec(await page('signatures.md'))!
    const vectors = fileURLToPath(new URL('../../clients/signature-vectors.json', import.meta.url))
    const program = `${code}
      $contract = json_decode(file_get_contents($argv[1]), true);
      foreach ($contract['vectors'] as $vector) {
        echo sign($vector['for'], $vector['params'], $contract['key']), "\\n";
      }`
    const { stdout, stderr } = spawnSync('php', ['-r', program, vectors], { encoding: 'utf8' })
    const signs = JSON.parse(await readFile(vectors, 'utf8')).vectors.map(
      (vector: { hmac_sha256: { sign: string } }) => vector.hmac_sha256.sign,
    )
    assert.deepEqual(stdout.trim().split('\n'), signs, stderr)
  })

  for (const name of ['signatures.md', 'callbacks.md']) {
    test(`${folder}${name}: the callback shown is signed rightly, body and headers`, async () => {
      const text = await page(name)
      const body = /orderid=sh-1&\S*&sign=\S+/.exec(text)![0]
      const { sign, ...fields } = Object.fromEntries(new URLSearchParams(body))
      assert.equal(signParameters('hmac-sha256', 'callback', fields as Record<string, string>, key), sign)
      const headers = webhookHeaders([secret], 'cb_50d858e0985ecc7f60418aaf0cc5ab58', Number(fields.t), body)
      assert.ok(text.includes(headers['webhook-signature']!))
    })
  }

  test(`${folder}callbacks.md: the schedule shown is the one that is kept`, async () => {
    const text = await page('callbacks.md')
    const unit = { s: 1_000, min: 60_000, h: 3_600_000 }
    const cells = /^\| \S+ \| 0 \|(.*)\|$/m
      .exec(text)![1]!
      .split('|')
      .map(cell => cell.trim())
    const shownMs = cells.map(cell => {
      const [, number, name] = /^(\d+) (s|min|h)/.exec(cell)!
      return Number(number) * unit[name as keyof typeof unit]
    })
    assert.deepEqual([0, ...shownMs], [...new Set(retryIntervalsMs)])
    const minutes = retryIntervalsMs.reduce((sum, ms) => sum + ms, 0) / 60_000
    assert.match(
      text,
      new RegExp(`${retryIntervalsMs.length}\\D+${Math.floor(minutes / 60)}\\D+${Math.floor(minutes % 60)}`),
    )
  })

  test(`${folder}amounts.md: what is announced is computed rightly`, async () => {
    const rows = [
      ...(await page('amounts.md')).matchAll(/^\| ([\d.]+) USDT \| ([\d.]+) \| (\S+) \| ([\d.]+) \|$/gm),
    ]
    assert.equal(rows.length, 3)
    let received: UsdtUnits = usdt(0n)
    let announced = legacy(0n)
    for (const [row, transfer, sum, amount, inAll] of rows) {
      received = usdt(received + parseUsdt(transfer!)!)
      const pending = pendingAnnouncement(received, announced)
      announced = legacy(announced + pending)
      assert.equal(received, parseUsdt(sum!), row)
      assert.equal(/^\d+$/.test(amount!) ? amount : '0', `${pending}`, row)
      assert.equal(parseUsdt(inAll!), announced * 100n, row)
    }
  })

  test(`${folder}endpoints.md: it has every endpoint, every error code, and only those`, async () => {
    const text = await page('endpoints.md')
    const headings = [...text.matchAll(/^## (\w+)$/gm)].map(([, name]) => name)
    assert.deepEqual(
      headings.filter(name => name !== 'Errors'),
      endpointNames,
    )
    const rows = [...text.matchAll(/^\| `(\w+)` \| (\d{3}) \| .* \|( yes)? +\|$/gm)]
    assert.deepEqual(
      rows.map(([, code, status, retry]) => [code, Number(status), retry !== undefined]),
      Object.entries(errorCodes).map(([code, { status, retry }]) => [code, status, retry]),
    )
    for (const [, answer] of text.matchAll(/^```json\n(.*?)\n```$/gms))
      assert.equal(JSON.parse(answer!).status, 1)
  })

  test(`${folder}endpoints.md: lengths and limits are those that are kept`, async () => {
    const text = await page('endpoints.md')
    for (const [name, least] of [
      ['username', 1],
      ['localusermark', 1],
      ['orderid', 1],
      ['notify_url', 0],
    ] as const) {
      const { parameters } = endpoints.find(endpoint => endpoint.name === 'TraderRechargeorder')!
      const { minLength, maxLength } = parameters.properties[name] as { minLength: number; maxLength: number }
      assert.equal(minLength, least)
      // In one sentence with its name, and with the names that share it.
      const range = least === 0 ? `${maxLength}` : `1 \\S+ ${maxLength}`
      assert.match(text, new RegExp(`\`${name}\`(?: \\S+ \`\\w+\`)?[^,，；\`]*\\b${range}\\b`), name)
    }
    for (const name of ['RATE_LIMIT_PER_MINUTE', 'IP_RATE_LIMIT_PER_MINUTE'] as const) {
      assert.ok(text.includes(`\`${name}\``) && text.includes(settingOf[name].default!), name)
    }
    assert.ok(text.includes(`${testLimits.perMinute}`))
  })

  for (const name of ['callbacks.md', 'moving.md']) {
    test(`${folder}${name}: what to deduplicate by is what is signed`, async () => {
      const text = await page(name)
      assert.match(text, /`webhook-id`/)
      assert.doesNotMatch(text, /(Deduplicate by|按) (the )?`Idempotency-Key`/)
    })
  }

  test(`${folder} pages: every link leads somewhere`, async () => {
    for (const name of pages) {
      for (const [, target] of (await page(name)).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
        await access(new URL(target!, new URL(`../../docs/${folder}`, import.meta.url)))
      }
    }
  })
}

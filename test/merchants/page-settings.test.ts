import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readPageOptions } from '../../src/cli/page-options.ts'
import { type PageSettings, readLogo, setPage } from '../../src/merchants/page-settings.ts'
import { cloneDatabase } from '../support/database.ts'
import { seedMerchant } from '../support/seed-merchant.ts'

const { pool } = await cloneDatabase()
const { appid } = await seedMerchant(pool)
const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(100)])

async function stored() {
  const { rows } = await pool.query(
    `select display_name, accent, support_url, qr, frame_ancestors, logo_type, length(logo) as bytes from merchant_page`,
  )
  return rows
}

test('what is given is set, the rest stays, and the audit log has it without the image', async () => {
  await setPage(pool, appid, { displayName: 'My shop', accent: '#0b6e4f', logo: readLogo(png) })
  await setPage(pool, appid, { qr: 'tron', frameAncestors: ['https://shop.example'] })
  const expected = {
    ...{ display_name: 'My shop', accent: '#0b6e4f', support_url: null, qr: 'tron' },
    frame_ancestors: ['https://shop.example'],
    ...{ logo_type: 'image/png', bytes: png.length },
  }
  assert.deepEqual(await stored(), [expected])
  await setPage(pool, appid, { logo: null, accent: null, displayName: '' })
  assert.deepEqual(await stored(), [
    { ...expected, display_name: '', accent: null, logo_type: null, bytes: null },
  ])
  const { rows } = await pool.query(
    `select detail from audit_event where action = 'merchant.page_set' order by id`,
  )
  assert.deepEqual(rows[0].detail, {
    ...{ displayName: 'My shop', accent: '#0b6e4f' },
    logo: `image/png, ${png.length} bytes`,
  })
})

for (const [wrong, problem] of [
  [{ displayName: 'x'.repeat(65) }, /display name/],
  [{ displayName: 'a\nb' }, /display name/],
  [{ accent: 'red' }, /accent: a colour/],
  [{ accent: '#fff' }, /accent: a colour/],
  [{ accent: '#000000;}body{display:none' }, /accent: a colour/],
  [{ supportUrl: 'javascript:alert(1)' }, /support URL/],
  [{ supportUrl: 'mailto:help@shop.example' }, /support URL/],
  [{ frameAncestors: ["https://a.example; script-src 'unsafe-inline'"] }, /frame ancestors: origins/],
  [{ frameAncestors: ['https://a.example/path'] }, /frame ancestors: origins/],
  [{ frameAncestors: ['*'] }, /frame ancestors: origins/],
  [{ frameAncestors: Array.from({ length: 11 }, (_, i) => `https://a${i}.example`) }, /at most 10/],
] as [Partial<PageSettings>, RegExp][]) {
  test(`it is refused: ${JSON.stringify(wrong).slice(0, 80)}`, async () => {
    const before = await stored()
    await assert.rejects(setPage(pool, appid, wrong), problem)
    assert.deepEqual(await stored(), before)
  })
}

test('an image is known by its bytes, and an SVG is none', () => {
  assert.equal(readLogo(png).type, 'image/png')
  assert.equal(readLogo(Buffer.from('\xff\xd8\xff\xe0', 'latin1')).type, 'image/jpeg')
  assert.equal(readLogo(Buffer.from('RIFF\0\0\0\0WEBPVP8 ', 'latin1')).type, 'image/webp')
  for (const text of ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'GIF89a', '', 'RIFF\0\0\0\0WAVE'])
    assert.throws(() => readLogo(Buffer.from(text, 'latin1')), /must be a PNG, JPEG or WebP/)
  assert.throws(() => readLogo(Buffer.concat([png, Buffer.alloc(64 * 1024)])), /at most 65536 bytes/)
})

test('as an operator writes them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'logo-'))
  after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'logo.png')
  await writeFile(file, png)
  assert.equal(await readPageOptions({ callbackUrl: 'https://shop.example/' }), undefined)
  assert.deepEqual(
    await readPageOptions({
      displayName: '',
      accent: '#0B6E4F',
      logo: file,
      frameAncestors: 'https://A.example, ',
    }),
    {
      ...{ displayName: '', accent: '#0b6e4f', logo: { type: 'image/png', bytes: png } },
      frameAncestors: ['https://a.example'],
    },
  )
  assert.deepEqual(await readPageOptions({ accent: '', logo: '', supportUrl: '', frameAncestors: '' }), {
    ...{ accent: null, logo: null, supportUrl: null, frameAncestors: [] },
  })
  await assert.rejects(readPageOptions({ logo: join(folder, 'none.png') }), /there is no file/)
  await assert.rejects(readPageOptions({ logo: folder }), /there is no file/)
})

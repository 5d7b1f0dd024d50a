import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { makeAsset } from '../../../src/web/shell/assets.ts'

test("an asset's name follows from its content", () => {
  const one = makeAsset('page', 'css', 'a{}')
  assert.match(one.name, /^page\.[0-9a-f]{12}\.css$/)
  assert.equal(one.path, `/assets/${one.name}`)
  assert.equal(makeAsset('page', 'css', 'a{}').name, one.name)
  assert.notEqual(makeAsset('page', 'css', 'b{}').name, one.name)
})

test('an asset has its type, its bytes and the same bytes compressed', () => {
  const asset = makeAsset('page', 'js', '付()')
  assert.equal(asset.contentType, 'text/javascript; charset=utf-8')
  assert.equal(asset.bytes.toString(), '付()')
  assert.deepEqual(gunzipSync(asset.gzip), asset.bytes)
})

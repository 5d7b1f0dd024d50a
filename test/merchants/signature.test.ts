import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { signaturesEqual, signedText, signParameters } from '../../src/merchants/signature.ts'

interface Vector {
  name: string
  for: string
  params: Record<string, string>
  sha1: { string: string; sign: string }
  hmac_sha256: { string: string; sign: string }
}

const file = new URL('signature-vectors.json', import.meta.url)
const { key, vectors }: { key: string; vectors: Vector[] } = JSON.parse(await readFile(file, 'utf8'))

for (const vector of vectors) {
  test(`vector: ${vector.name}`, () => {
    const reversed = Object.fromEntries(Object.entries(vector.params).reverse())
    for (const parameters of [vector.params, reversed, { ...vector.params, sign: 'never signed' }]) {
      assert.equal(signedText('sha1', vector.for, parameters) + key, vector.sha1.string)
      assert.equal(signParameters('sha1', vector.for, parameters, key), vector.sha1.sign)
      assert.equal(signedText('hmac-sha256', vector.for, parameters), vector.hmac_sha256.string)
      assert.equal(signParameters('hmac-sha256', vector.for, parameters, key), vector.hmac_sha256.sign)
    }
  })
}

test('one changed character in a value, a name, the key or the endpoint makes another signature', () => {
  const { params, for: endpoint } = vectors[1]!
  for (const scheme of ['hmac-sha256', 'sha1'] as const) {
    const right = signParameters(scheme, endpoint, params, key)
    const others = [
      ...changes(key).map(other => signParameters(scheme, endpoint, params, other)),
      ...Object.entries(params).flatMap(([name, value]) => [
        ...changes(value).map(other => signParameters(scheme, endpoint, { ...params, [name]: other }, key)),
        ...changes(name).map(other => {
          const { [name]: moved, ...rest } = params
          return signParameters(scheme, endpoint, { ...rest, [other]: moved! }, key)
        }),
      ]),
      // sha1 does not cover the endpoint's name: that is one of its weaknesses.
      ...(scheme === 'sha1'
        ? []
        : changes(endpoint).map(other => signParameters(scheme, other, params, key))),
    ]
    assert.ok(others.length > 150)
    assert.ok(others.every(other => other !== right))
  }
})

test('signatures are equal in either case of hex, and of another length or alphabet just unequal', () => {
  const sign = vectors[0]!.hmac_sha256.sign
  assert.ok(signaturesEqual(sign, sign))
  assert.ok(signaturesEqual(sign.toLowerCase(), sign))
  const hex = 'A9'.repeat(32)
  // Letters that upper case or a narrower encoding would turn into these very digits.
  const alike: [string, string][] = [
    [hex.replace('A', '\u0141'), hex],
    [hex.replace('9', '\u0239'), hex],
    ['\ufb00'.repeat(32), 'F'.repeat(64)],
  ]
  for (const other of ['', '0', sign.slice(1), `${sign}0`, 'ÿ'.repeat(64), '用'.repeat(64), 'Z'.repeat(64)]) {
    alike.push([other, sign])
  }
  for (const [other, expected] of alike) assert.equal(signaturesEqual(other, expected), false, other)
})

/** The text with each of its characters replaced by another, one at a time. */
function changes(text: string): string[] {
  return [...text].map((c, i) => text.slice(0, i) + (c === 'x' ? 'y' : 'x') + text.slice(i + c.length))
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accentCss, contrast, parseColor } from '../../../src/web/checkout/accent-css.ts'
import { tokensCss } from '../../../src/web/shell/tokens-css.ts'

const surfaces = [...tokensCss.matchAll(/--surface:(#[0-9a-f]+)/g)].map(([, color]) =>
  parseColor(color!.length === 4 ? `#${[...color!.slice(1)].map(digit => digit + digit).join('')}` : color!),
)

test('any colour becomes one that can be seen and read, in both themes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffff }), number => {
      const css = accentCss(`#${number.toString(16).padStart(6, '0')}`)
      const themes = [...css.matchAll(/--accent:(#\w{6});--accent-text:(#\w{6});--on-accent:(#\w{6})/g)].map(
        match => match.slice(1).map(color => parseColor(color)!),
      )
      assert.equal(themes.length, 2)
      for (const [i, [fill, text, onFill]] of themes.entries()) {
        assert.ok(contrast(fill!, surfaces[i]!) >= 3)
        assert.ok(contrast(text!, surfaces[i]!) >= 4.5)
        assert.ok(contrast(onFill!, fill!) >= 4.5)
      }
    }),
  )
})

test('a colour that is seen well enough stays what it is', () => {
  assert.match(accentCss('#7A3FF2'), /^:root\{--accent:#7a3ff2;--accent-text:#7a3ff2;--on-accent:#ffffff\}/)
})

test('what is no colour gives an empty sheet', () => {
  for (const text of [null, '', 'red', '#fff', '#12345g', '#1234567', '#123456}body{display:none']) {
    assert.equal(accentCss(text), '')
  }
})

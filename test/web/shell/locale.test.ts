import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseLocale } from '../../../src/web/shell/locale.ts'

test('the query comes before the header', () => {
  assert.equal(chooseLocale('zh', 'en'), 'zh')
  assert.equal(chooseLocale('en', 'zh-CN'), 'en')
  assert.equal(chooseLocale('zh-TW', undefined), 'zh')
})

test("the header's favourite among our languages is taken", () => {
  const cases = {
    'zh-CN,zh;q=0.9,en;q=0.8': 'zh',
    'en-GB,en;q=0.9,zh;q=0.8': 'en',
    'fr,zh;q=0.5,en;q=0.7': 'en',
    'de, zh-Hant;q=0.1': 'zh',
    'zh;q=0,en;q=0.1': 'en',
    'zh; q=0.2 , en;q=0.1': 'zh',
    '*': 'en',
    'fr-CH, fr;q=0.9': 'en',
    '': 'en',
  }
  for (const [header, locale] of Object.entries(cases)) {
    assert.equal(chooseLocale(undefined, header), locale, header)
  }
})

test('a query that is no language of ours, or no text, leaves the choice to the header', () => {
  for (const lang of ['xx', '', ['zh', 'en'], {}, 7, null, '<script>']) {
    assert.equal(chooseLocale(lang, 'zh'), 'zh')
    assert.equal(chooseLocale(lang, undefined), 'en')
  }
})

test('a header of any length and content is read', () => {
  assert.equal(chooseLocale(undefined, `${'x,'.repeat(100_000)}zh`), 'en')
  assert.equal(chooseLocale(undefined, 'zh;q=nonsense,;;;,=,q=1;zh'), 'zh')
})

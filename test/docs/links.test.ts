import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const pages = [
  root,
  ...['docs', 'docs/zh-CN', 'deploy', 'clients', 'examples'].map(name => join(root, name)),
].flatMap(folder =>
  readdirSync(folder)
    .filter(name => name.endsWith('.md'))
    .map(name => join(folder, name)),
)

test('every link between pages leads to a file, and to a heading that is there', () => {
  const broken = pages.flatMap(page =>
    linksOf(page)
      .filter(link => !leadsSomewhere(page, link))
      .map(link => `${relative(root, page)}: ${link}`),
  )
  assert(pages.length > 30)
  assert.deepEqual(broken, [])
})

/** Links in the text of a page, not those in its code. */
function linksOf(page: string): string[] {
  const links = withoutCode(page).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)
  return [...links].map(([, link]) => link!)
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path, anchor] = link.split('#') as [string, string?]
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(target)) return false
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(target).includes(decodeURI(anchor))
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return [...withoutCode(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutCode(page: string): string {
  return readFileSync(page, 'utf8').replace(/^```.*?^```$/gms, '')
}

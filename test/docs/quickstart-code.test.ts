import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { payAnOrder } from '../clients/client-flow.ts'
import { type Kit, languages, openKit, writePrograms } from '../clients/kits.ts'
import { startRunningGateway } from '../clients/running-gateway.ts'

// The programs of the page as they are: an order is made, paid and credited once, and what is forged is refused.
const root = join(import.meta.dirname, '../..')
const page = join(root, 'docs/quickstart-code.md')
const running = await startRunningGateway()

test('the Chinese page has the same programs and commands', async () => {
  const codeOf = async (path: string) =>
    (await readFile(path, 'utf8')).match(/^```\w+\n.*?^```$|^ {4}[^\n]*$/gms)
  assert.deepEqual(await codeOf(join(root, 'docs/zh-CN/quickstart-code.md')), await codeOf(page))
})

const programs: Record<string, (kit: Kit) => Pick<Kit, 'order' | 'receive'>> = {
  php: ({ folder }) => ({
    order: ['php', 'topup.php'],
    receive: port => ['php', '-d', `sys_temp_dir=${folder}`, '-S', `127.0.0.1:${port}`, 'callback.php'],
  }),
  typescript: () => ({
    order: ['node', '--import', 'tsx', 'topup.mts'],
    receive: () => ['node', '--import', 'tsx', 'callback.mts'],
  }),
  python: () => ({ order: ['python3', 'topup.py'], receive: () => ['python3', 'callback.py'] }),
}

for (const language of languages.filter(({ name }) => name in programs)) {
  suite(`the quickstart in ${language.name}`, { skip: language.skip }, () => {
    let kit: Kit
    before(async () => {
      kit = await openKit(language)
      await writePrograms(page, kit.folder)
      if (language.name === 'typescript') await addNodePackages(kit.folder)
    })
    after(() => kit.remove())

    test('an order, its payment, its callback', () =>
      payAnOrder(running, { ...kit, ...programs[language.name]!(kit) }, { format: 'form', fields: 'six' }))

    if (language.name === 'typescript') {
      test('its programs have no error of types', async () => {
        const options = [
          '--noEmit',
          '--strict',
          '--module',
          'nodenext',
          '--target',
          'es2022',
          '--types',
          'node',
        ]
        const tsc = join(root, 'node_modules/.bin/tsc')
        await promisify(execFile)(tsc, [...options, 'topup.mts', 'callback.mts'], { cwd: kit.folder })
      })
    }
  })
}

/** What the page installs from npm. */
async function addNodePackages(folder: string): Promise<void> {
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true })
  for (const name of ['tsx', '@types/node', 'undici-types']) {
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
}

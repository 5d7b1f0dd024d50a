import { execFile, execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from '../support/programs.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
export const clients = join(root, 'clients')

export type Command = readonly string[]

/** A client as a merchant has it: copied into a folder of its own, with the examples of its README, and built. */
export interface Kit {
  name: string
  folder: string
  /** Checks the signature vectors, the client where it stands. */
  vectors: Command
  /** The README's programs; `order` takes an orderid and an amount. */
  order: Command
  receive: (port: number) => Command
  /** The driver. @see drive.ts */
  drive: Command
  /** Takes the folder away. */
  remove(): Promise<void>
}

interface Language {
  name: string
  programs: readonly string[]
  build(folder: string): Promise<Omit<Kit, 'name' | 'folder' | 'remove'>>
}

/** Each with why it cannot be tested here, or false: made for node:test's `skip`. */
export const languages = [
  { name: 'typescript', programs: ['node'], build: buildTypeScript },
  { name: 'php', programs: ['php'], build: buildPhp },
  { name: 'python', programs: ['python3'], build: buildPython },
  { name: 'go', programs: ['go'], build: buildGo },
  { name: 'java', programs: ['java', 'javac'], build: buildJava },
].map((language: Language) => {
  const missing = language.programs.find(program => !findProgram(program))
  return { ...language, skip: missing ? `${missing} is not on the PATH` : false }
})

/** Why the PHP client's curl transport cannot be tested here, or false. */
export function noPhpCurl(): string | false {
  if (!findProgram('php')) return 'php is not on the PATH'
  const loaded = execFileSync('php', ['-r', 'echo extension_loaded("curl") ? "yes" : "no";'], {
    encoding: 'utf8',
  })
  return loaded === 'yes' ? false : 'the PHP here has no curl extension (Debian: php-curl)'
}

/** Builds a kit in a folder of its own. @throws Error with the compiler's words. */
export async function openKit(language: Language): Promise<Kit> {
  const folder = await mkdtemp(join(tmpdir(), `recharge-gateway-${language.name}-`))
  const remove = () => rm(folder, { recursive: true, force: true })
  return { name: language.name, folder, remove, ...(await language.build(folder)) }
}

async function buildTypeScript(folder: string) {
  const source = join(clients, 'typescript')
  const installed = join(folder, 'node_modules/recharge-gateway-client')
  await mkdir(installed, { recursive: true })
  await run(join(root, 'node_modules/.bin/tsc'), ['-p', source, '--outDir', join(installed, 'dist')])
  await cp(join(source, 'package.json'), join(installed, 'package.json'))
  await cp(join(source, 'test.mjs'), join(folder, 'vectors/test.mjs'))
  await cp(join(clients, 'signature-vectors.json'), join(folder, 'signature-vectors.json'))
  await writeExamples(source, folder)
  await addDriver(folder, 'drive.mjs')
  return {
    vectors: ['node', '--test', 'vectors/test.mjs'],
    order: ['node', 'order.mjs'],
    receive: () => ['node', 'receive.mjs'],
    drive: ['node', 'drive.mjs'],
  }
}

async function buildPhp(folder: string) {
  await cp(join(clients, 'php/RechargeGateway.php'), join(folder, 'RechargeGateway.php'))
  await writeExamples(join(clients, 'php'), folder)
  await addDriver(folder, 'drive.php')
  return {
    vectors: ['php', join(clients, 'php/test.php')],
    order: ['php', 'order.php'],
    receive: (port: number) => [
      'php',
      '-d',
      `sys_temp_dir=${folder}`,
      '-S',
      `127.0.0.1:${port}`,
      'receive.php',
    ],
    drive: ['php', 'drive.php', 'streams'],
  }
}

async function buildPython(folder: string) {
  await cp(join(clients, 'python/recharge_gateway.py'), join(folder, 'recharge_gateway.py'))
  await writeExamples(join(clients, 'python'), folder)
  await addDriver(folder, 'drive.py')
  return {
    vectors: ['python3', join(clients, 'python/test.py')],
    order: ['python3', 'order.py'],
    receive: () => ['python3', 'receive.py'],
    drive: ['python3', 'drive.py'],
  }
}

async function buildGo(folder: string) {
  await cp(join(clients, 'go/rechargegateway.go'), join(folder, 'rechargegateway/rechargegateway.go'))
  await writeFile(join(folder, 'go.mod'), 'module shop.example\n\ngo 1.20\n')
  await writeExamples(join(clients, 'go'), folder)
  await cp(join(import.meta.dirname, 'drivers/drive.go'), join(folder, 'drive/main.go'))
  await run('go', ['build', '-o', join(folder, 'bin/'), './order', './receive', './drive'], { cwd: folder })
  return {
    vectors: ['go', '-C', join(clients, 'go'), 'test', './...'],
    order: ['bin/order'],
    receive: () => ['bin/receive'],
    drive: ['bin/drive'],
  }
}

async function buildJava(folder: string) {
  await cp(join(clients, 'java/rechargegateway'), join(folder, 'rechargegateway'), { recursive: true })
  await cp(join(clients, 'java/VectorTest.java'), join(folder, 'VectorTest.java'))
  const examples = await writeExamples(join(clients, 'java'), folder)
  await addDriver(folder, 'Drive.java')
  const sources = ['rechargegateway/RechargeGateway.java', 'VectorTest.java', 'Drive.java', ...examples]
  // As strict as it gets, for Java 11: a warning is a failure.
  await run('javac', ['--release', '11', '-Xlint:all', '-Werror', '-d', 'classes', ...sources], {
    cwd: folder,
  })
  const java = ['java', '-XX:TieredStopAtLevel=1', '-cp', 'classes']
  return {
    vectors: [...java, 'VectorTest', join(clients, 'signature-vectors.json')],
    order: [...java, 'PayOrder'],
    receive: () => [...java, 'ReceiveCallback'],
    drive: [...java, 'Drive'],
  }
}

function writeExamples(from: string, folder: string): Promise<string[]> {
  return writePrograms(join(from, 'README.md'), folder)
}

/**
 * A page's programs as files: a block of code whose first line ends in a comment with a file's name is that file.
 * @returns their names.
 */
export async function writePrograms(page: string, folder: string): Promise<string[]> {
  const readme = await readFile(page, 'utf8')
  const names: string[] = []
  for (const [, code, name] of readme.matchAll(/^```\w+\n((?:<\?php )?(?:\/\/|#) (\S+)\n[\s\S]*?)^```$/gm)) {
    await mkdir(dirname(join(folder, name!)), { recursive: true })
    await writeFile(join(folder, name!), code!)
    names.push(name!)
  }
  return names
}

function addDriver(folder: string, name: string): Promise<void> {
  return cp(join(import.meta.dirname, 'drivers', name), join(folder, name))
}

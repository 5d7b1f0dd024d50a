import { execFileSync } from 'node:child_process'
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { languages, openKit } from '../clients/kits.ts'
import { type Receiver, startReceiver } from '../clients/receiver.ts'
import type { TestDatabase } from '../support/database.ts'
import { findProgram } from '../support/programs.ts'

const root = join(import.meta.dirname, '../..')
const examples = join(root, 'examples')

/** An example shop as a merchant has it: in a folder of its own, with what its package names. */
export interface ShopProgram {
  name: string
  /** The path of its callback URL. */
  callbackPath: string
  /** The path that takes the form. */
  formPath: string
  start(settings: ShopSettings): Promise<Receiver>
  remove(): Promise<void>
}

export interface ShopSettings {
  gatewayUrl: string
  appid: string
  key: string
  webhookSecret: string
  port: number
}

/** Why a shop cannot be tested here, or false. */
export const noPhp = whyNoPhp()

/** Express on Node, its books in a database. */
export async function buildExpressShop(database: TestDatabase): Promise<ShopProgram> {
  const kit = await openKit(languages.find(({ name }) => name === 'typescript')!)
  await cp(join(examples, 'express'), kit.folder, {
    recursive: true,
    filter: path => !path.includes('node_modules'),
  })
  const { dependencies } = JSON.parse(await readFile(join(kit.folder, 'package.json'), 'utf8'))
  const ours = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  for (const [name, version] of Object.entries(dependencies)) {
    if (name === 'recharge-gateway-client') continue
    const here = ours.dependencies[name] ?? ours.devDependencies[name]
    if (here !== version) throw new Error(`the shop wants ${name} ${version}, and ${here} is here`)
    await symlink(join(root, 'node_modules', name), join(kit.folder, 'node_modules', name))
  }
  return {
    name: 'express',
    callbackPath: '/recharge-callback',
    formPath: '/top-ups',
    start: settings =>
      startReceiver(['node', 'shop.mjs'], {
        cwd: kit.folder,
        env: { ...environment(settings), DATABASE_URL: database.url },
        port: settings.port,
      }),
    remove: kit.remove,
  }
}

/** PHP's own server with four workers, so that two requests do run at once; its books in SQLite. */
export async function buildPhpShop(): Promise<ShopProgram> {
  const kit = await openKit(languages.find(({ name }) => name === 'php')!)
  // Beside each other as in the repository: the shop takes the client from there.
  await mkdir(join(kit.folder, 'clients/php'), { recursive: true })
  await cp(join(root, 'clients/php/RechargeGateway.php'), join(kit.folder, 'clients/php/RechargeGateway.php'))
  const folder = join(kit.folder, 'examples/php')
  await cp(join(examples, 'php'), folder, { recursive: true, filter: path => !path.endsWith('.sqlite') })
  return {
    name: 'php',
    callbackPath: '/callback.php',
    formPath: '/index.php',
    start: settings =>
      startReceiver(['php', '-d', 'display_errors=1', '-S', `127.0.0.1:${settings.port}`, '-t', 'public'], {
        cwd: folder,
        env: { ...environment(settings), PHP_CLI_SERVER_WORKERS: '4' },
        port: settings.port,
      }),
    remove: kit.remove,
  }
}

function environment(settings: ShopSettings): Record<string, string | undefined> {
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    GATEWAY_URL: settings.gatewayUrl,
    APPID: settings.appid,
    MERCHANT_KEY: settings.key,
    WEBHOOK_SECRET: settings.webhookSecret,
    PORT: `${settings.port}`,
    SHOP_URL: `http://127.0.0.1:${settings.port}`,
  }
}

function whyNoPhp(): string | false {
  if (!findProgram('php')) return 'php is not on the PATH'
  const loaded = execFileSync('php', ['-r', 'echo extension_loaded("pdo_sqlite") ? "yes" : "no";'], {
    encoding: 'utf8',
  })
  return loaded === 'yes' ? false : 'the PHP here has no SQLite (Debian: php-sqlite3)'
}

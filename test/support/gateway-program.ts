import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/**
 * What is run before the command line's arguments, the program first: compiled once for a run of many files, else from
 * source, which costs every process as much time again as it takes to start.
 */
export const gatewayProgram: readonly [string, ...string[]] = process.env.TEST_GATEWAY
  ? [process.execPath, process.env.TEST_GATEWAY]
  : [process.execPath, '--import', import.meta.resolve('tsx'), join(root, 'src/gateway.ts')]

/**
 * Compiles the gateway as a release is, into a folder of its own: others may be testing in this checkout.
 * @returns what TEST_GATEWAY is to be; null, having said why, when it does not compile.
 */
export async function compileGateway(): Promise<{ path: string; remove(): Promise<void> } | null> {
  const folder = await mkdtemp(join(tmpdir(), 'recharge-gateway-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  for (const name of ['node_modules', 'package.json', 'prisma']) {
    await symlink(join(root, name), join(folder, name))
  }
  const compiler = join(root, 'node_modules/.bin/tsc')
  const args = ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')]
  const { status, stdout } = spawnSync(compiler, args, { encoding: 'utf8' })
  if (status === 0) return { path: join(folder, 'dist/gateway.js'), remove }
  console.log(`# processes of the gateway are started from source, for it does not compile:\n${stdout}`)
  await remove()
  return null
}

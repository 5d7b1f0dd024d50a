import { statfs } from 'node:fs/promises'
import { freemem, totalmem } from 'node:os'
import { productVersion } from '../base/version.ts'
import { type Finding, look, ok, wrong } from './finding.ts'

const gigabyte = 1_000_000_000
const freeMin = { wrong: 1, look: 5 }

/** Says what runs, and whether this machine has room. The database may be on another one. */
export async function checkMachine(folder = process.cwd()): Promise<Finding[]> {
  const { platform, arch, version } = process
  const { bavail, blocks, bsize } = await statfs(folder)
  const free = (bavail * bsize) / gigabyte
  const level = free < freeMin.wrong ? wrong : free < freeMin.look ? look : ok
  const memory = `${(freemem() / gigabyte).toFixed(1)} of ${(totalmem() / gigabyte).toFixed(1)} GB of memory free`
  return [
    ok('version', `recharge-gateway ${productVersion()}, Node ${version}, ${platform} ${arch}`),
    level(
      'disk',
      `${free.toFixed(1)} of ${((blocks * bsize) / gigabyte).toFixed(1)} GB free here; ${memory}`,
    ),
  ]
}
